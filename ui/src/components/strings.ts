import { words } from "../i18n/words";

export const strings = words({
  en: { close: "Close", details: "Details", retry: "Try again", copy: "Copy", copied: "Copied", notices: "Notices", cancel: "Cancel" },
  "zh-CN": { close: "关闭", details: "详情", retry: "重试", copy: "复制", copied: "已复制", notices: "通知", cancel: "取消" },
});
