// How the commands that go on are ended from the keyboard or by a supervisor.

/**
 * Of SIGINT and SIGTERM the first calls `first`, which is to end in good order; the second ends the process at once, with
 * `exitCode`. Returns what takes that back.
 */
export function onInterrupt(first: () => void, exitCode = 1): () => void {
  let isSecond = false;
  const handle = (): void => {
    if (isSecond) process.exit(exitCode);
    isSecond = true;
    first();
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle).off('SIGTERM', handle);
  };
}
