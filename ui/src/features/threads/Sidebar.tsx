// The list of threads.
import { openThread, useStore } from "../../state/store";

export function Sidebar() {
  const threads = useStore((it) => it.summaries);
  return (
    <ul>
      {threads.map((thread) => (
        <li key={thread.id}>
          <button type="button" data-testid="thread-row" onClick={() => openThread(thread.id)}>{thread.title}</button>
        </li>
      ))}
    </ul>
  );
}
