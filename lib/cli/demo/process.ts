// Entry of the demo's child processes: `process.js replica NAME` or `process.js client`.

import { runClient } from './client';
import { runReplica } from './replica';

const [role, name = ''] = process.argv.slice(2);
if (role === 'replica') runReplica(name);
else runClient();
process.on('disconnect', () => process.exit());
