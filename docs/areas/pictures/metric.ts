/** Metrics on real tables: the confusion matrix of the wines, ROC and precision–recall of the tumours. */
import { logisticRegression, softmaxRegression } from "chainrule/classic";
import { breastCancer, type Dataset, standardScaler, trainTestSplit, wine } from "chainrule/data";
import { averagePrecision, confusionMatrix, precisionRecallCurve, rocAuc, rocCurve } from "chainrule/metrics";
import { heatmapChart } from "chainrule/viz";
import { grid, paths, type Pictures, type Point, svg } from "./lib.ts";

function scaled(data: Dataset) {
  const split = trainTestSplit(data, { testSize: 0.4, stratify: true });
  const scaler = standardScaler().fit(split.train);
  return { train: scaler.transform(split.train), test: scaler.transform(split.test) };
}
/** Samples with their first features alone: a harder task. */
const fewer = (data: Dataset, features: number): Dataset =>
  data.map(({ x, y }) => ({ x: { data: x.data.slice(0, features), shape: [features], dtype: x.dtype }, y })).cache();
const numbers = (x: ArrayLike<number> | null): number[] => Array.from(x ?? []);

export async function draw(): Promise<Pictures> {
  const wines = await wine();
  const w = scaled(fewer(wines.data, 3));
  const model = softmaxRegression().fit(w.train);
  const matrix = confusionMatrix(numbers(w.test.labels()), numbers(model.predict(w.test).dataSync()), 3);

  const tumours = await breastCancer();
  // Malignant is 0 in the file; here it counts as positive.
  const curves = (features: number): { roc: Point[]; pr: Point[]; auc: number; ap: number } => {
    const t = scaled(fewer(tumours.data, features));
    const p = logisticRegression().fit(t.train).predictProba(t.test).dataSync();
    const scores = Array.from({ length: t.test.length }, (_, i) => p[2 * i]);
    const y = numbers(t.test.labels()).map((label) => 1 - label);
    const roc = rocCurve(y, scores);
    const pr = precisionRecallCurve(y, scores);
    return {
      roc: roc.falsePositiveRate.map((x, i) => [x, roc.truePositiveRate[i]]),
      pr: pr.recall.map((x, i) => [x, pr.precision[i]]),
      auc: rocAuc(y, scores),
      ap: averagePrecision(y, scores),
    };
  };
  const [two, all] = [curves(2), curves(30)];
  const domain = [[0, 1], [0, 1]] as const;
  const unit = { domain, width: 280, height: 220 };
  return {
    "metric-confusion": await svg(
      heatmapChart(matrix, {
        title: "wines by three of their measures: counts", x: "predicted", y: "actual", rowNames: wines.classNames, columnNames: wines.classNames, width: 260, height: 180,
      }),
    ),
    metric: await svg(
      grid([
        paths(
          { [`2 measures: area ${two.auc.toFixed(3)}`]: two.roc, [`30 measures: area ${all.auc.toFixed(3)}`]: all.roc, "by chance": [[0, 0], [1, 1]] },
          { ...unit, title: "ROC", x: "false positive rate", y: "true positive rate", points: false },
        ),
        paths(
          { [`2 measures: ${two.ap.toFixed(3)}`]: two.pr, [`30 measures: ${all.ap.toFixed(3)}`]: all.pr },
          { ...unit, title: "precision over recall", x: "recall", y: "precision", points: false },
        ),
      ]),
      1,
    ),
  };
}
