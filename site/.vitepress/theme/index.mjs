import "katex/dist/katex.min.css";
import DefaultTheme from "vitepress/theme";
import Figures from "./Figures.vue";
import Home from "./Home.vue";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("Home", Home).component("Figures", Figures);
  },
};
