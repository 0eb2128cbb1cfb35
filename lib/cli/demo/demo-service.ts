// The one thing that the demo's processes agree on: a name. No address and no port is passed between them.

export const DEMO_SERVICE = 'demo/hello';
