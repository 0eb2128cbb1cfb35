// Node's own classes of sockets are functions that work without `new`; those that a library exports in their
// place must be, too.

type Constructor = new (...args: never[]) => object;

/** The same class, callable without `new`. `Call` is the type of such a call, for constructors with overloads. */
export function callable<C extends Constructor, Call = Callable<C>>(target: C, name: string): C & Call {
  function construct(...args: unknown[]): object {
    return Reflect.construct(target, args, new.target ?? construct);
  }
  Object.setPrototypeOf(construct, target);
  Object.defineProperty(construct, 'name', { value: name, configurable: true });
  Object.defineProperty(construct, 'prototype', { value: target.prototype });
  Object.defineProperty(target.prototype, 'constructor', { value: construct, writable: true, configurable: true });
  return construct as unknown as C & Call;
}

export type Callable<C extends Constructor> = (...args: ConstructorParameters<C>) => InstanceType<C>;
