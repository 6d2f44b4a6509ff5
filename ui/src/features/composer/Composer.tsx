// Where a prompt is written.
export function Composer({ threadId, cwd }: { threadId?: string; cwd?: string }) {
  return <div data-thread={threadId} data-folder={cwd} />;
}
