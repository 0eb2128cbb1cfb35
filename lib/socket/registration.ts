// When a socket may say 'listening': as soon as everybody who is told of it reaches it.

/** Calls back in a later turn: at once where nobody has to be told, else when the host's other processes know. */
export function whenRegistered(
  handle: { readonly registered?: Promise<void> | undefined },
  callback: (error?: unknown) => void,
): void {
  const { registered } = handle;
  if (registered === undefined) process.nextTick(callback);
  // Out of the promise: what a listener throws is an uncaught exception, as with any event.
  else
    registered.then(
      () => process.nextTick(callback),
      (error: unknown) => process.nextTick(callback, error),
    );
}
