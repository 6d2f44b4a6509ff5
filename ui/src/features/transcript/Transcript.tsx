// The turns of a thread.
export function Transcript({ threadId }: { threadId: string }) {
  return <div data-thread={threadId} />;
}
