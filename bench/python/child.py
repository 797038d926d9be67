"""python child.py <toolkit> <workload> <budget ms> [start time for a cold start]: one process, one peer, one workload."""

import importlib
import sys

importlib.import_module("with_" + sys.argv[1]).main()
