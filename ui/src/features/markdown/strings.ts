import { words } from "../../i18n/words";

export const strings = words({
  en: { table: "Table", done: "Done", open: "Not done" },
  "zh-CN": { table: "表格", done: "已完成", open: "未完成" },
});
