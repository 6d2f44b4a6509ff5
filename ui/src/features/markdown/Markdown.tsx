// Markdown of the model: no markup of its own, no remote pictures, links only through the person's browser.
import { Square, SquareCheck } from "lucide-react";
import { memo, useMemo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import gfm from "remark-gfm";

import { host } from "../../host";
import { useWords } from "../../i18n";
import { tellFailure } from "../../state/store";
import { blocks } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import css from "./Markdown.module.css";
import { strings } from "./strings";

export function Markdown({ text }: { text: string }) {
  const parts = useMemo(() => blocks(text), [text]);
  return (
    <div className={css.markdown}>
      {parts.map((part, i) => <Block key={i} text={part} />)}
    </div>
  );
}

const PLUGINS = [gfm];
const Block = memo(function Block({ text }: { text: string }) {
  return <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>{text}</ReactMarkdown>;
});

const OPENABLE = /^(?:https?|mailto):/i;

function Link({ href, children }: { href?: string; children?: ReactNode }) {
  // What the browser would not open safely is shown as words.
  if (href === undefined || !OPENABLE.test(href)) return <span title={href}>{children}</span>;
  return (
    <a
      href={href} title={href} rel="noreferrer"
      onClick={(event) => {
        event.preventDefault();
        void host.shell("host/openUrl", { url: href }).catch(tellFailure);
      }}
    >
      {children}
    </a>
  );
}

/** Headings of an answer stand below the turn's own. */
const heading = (level: 3 | 4 | 5) => function Heading({ children }: { children?: ReactNode }) {
  const Tag = `h${String(level)}` as "h3";
  return <Tag>{children}</Tag>;
};

function Table({ children }: { children?: ReactNode }) {
  const t = useWords(strings);
  return <div className={css.table} tabIndex={0} role="region" aria-label={t("table")}><table>{children}</table></div>;
}

/** The box of a task list: a state to read, not a control. */
function TaskBox({ checked }: { checked?: boolean }) {
  const t = useWords(strings);
  const Box = checked ? SquareCheck : Square;
  return <Box className={css.task} role="img" aria-label={t(checked ? "done" : "open")} />;
}

const COMPONENTS: Components = {
  h1: heading(3), h2: heading(3), h3: heading(4), h4: heading(5), h5: heading(5), h6: heading(5),
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  // A picture from elsewhere would tell its server what was read here.
  img: ({ src, alt }) => <Link href={typeof src === "string" ? src : undefined}>{alt === undefined || alt === "" ? src : alt}</Link>,
  table: ({ children }) => <Table>{children}</Table>,
  input: ({ checked }) => <TaskBox checked={checked} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children, node }) => {
    const text = typeof children === "string" ? children : "";
    const position = node?.position;
    const fenced = className !== undefined || text.endsWith("\n") || (position !== undefined && position.start.line !== position.end.line);
    return fenced
      ? <CodeBlock code={text.replace(/\n$/, "")} language={/language-(\S+)/.exec(className ?? "")?.[1]} />
      : <code className={css.inline}>{children}</code>;
  },
};
