// `ref` and `unref` of a handle, for hosts that count what keeps the process alive. A handle is referenced
// from its birth; one without these methods (a simulated host's) never keeps a process.

export interface Referable {
  ref?(): void;
  unref?(): void;
}

export function setReferenced(handle: object | undefined, referenced: boolean): void {
  const referable = handle as Referable | undefined;
  if (referenced) referable?.ref?.();
  else referable?.unref?.();
}
