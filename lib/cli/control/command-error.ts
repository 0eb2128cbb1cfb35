// How a command ends that could not do its work: a message and a code for people on stderr, one JSON object on stdout
// for programs, and exit status 1.

import picocolors from 'picocolors';

export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Runs an action, and tells of its failure. */
export async function reporting(name: string, isJson: boolean | undefined, action: () => Promise<void>): Promise<void> {
  quietWithoutReader();
  try {
    await action();
  } catch (error) {
    const { message, code = codeOf(error) }: NodeJS.ErrnoException =
      error instanceof Error ? error : new Error(`${error}`);
    if (isJson) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    else process.stderr.write(`${picocolors.red(`serval ${name}:`)} ${message} (${code})\n`);
    process.exitCode = 1;
  }
}

/** Of an error that brings none. */
function codeOf(error: unknown): string {
  return error instanceof RangeError ? 'ERR_OUT_OF_RANGE' : 'ERR_UNKNOWN';
}

/** `serval events | head -1`: whoever read has gone, and there is nobody left to tell. */
function quietWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
