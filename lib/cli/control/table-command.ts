// `serval table`: the rules of the service table, with what each has carried, and their changes.

import { Command } from 'commander';
import type { Entry } from '../../control/control-client';
import { countText, durationText, serviceText, text } from './cells';
import { reporting } from './command-error';
import { listOfHost } from './host-list';
import { secondsWithin, wholeNumber } from './option-values';
import { findHolder, type SelectionOptions, withSelection } from './process-selection';
import { type Column, printRows } from './rows';

export function tableCommand(): Command {
  const table = new Command('table').description(
    'the rules by which first packets are resolved; of the whole host by default',
  );
  table.addCommand(
    withSelection(new Command('show'))
      .argument('[service]', 'only rules that first packets to it can meet, and those of its parts')
      .description('show the rules, with what each has carried')
      .action(show),
    { isDefault: true },
  );
  table.addCommand(
    withTerms(withSelection(new Command('add')))
      .argument('<service>', 'a name, a prefix (acme/*) or HEX/bits')
      .argument('<action>', 'forward, delay or drop')
      .argument('[address]', 'where to forward to: ADDRESS or ADDRESS:PORT')
      .option('--link <n>', 'the link to send by', wholeNumber(0, 255))
      .option('--scope <scope>', 'network, or host: serves packets that came by broadcast, too')
      .option('--all', 'every address of the set gets the packet')
      .option('--broadcast', 'the address is a broadcast address')
      .option('--refuse', 'of a drop rule: tell the sender')
      .option('--idle-timeout <seconds>', 'ends the rule when it matched nothing for so long', SECONDS)
      .option('--hard-timeout <seconds>', 'ends the rule after so long', SECONDS)
      .description('add a rule, or replace the one of the same prefix, action and address')
      .action(add),
  );
  table.addCommand(
    withTerms(withKey(withSelection(new Command('modify'))))
      .option('--eject', 'pass the rule over until it is readmitted')
      .option('--readmit', 'use it again')
      .description('change priority or weight of a rule, or whether it is used')
      .action(modify),
  );
  table.addCommand(
    withKey(withSelection(new Command('delete')))
      .description('delete a rule')
      .action(remove),
  );
  table.addCommand(
    withSelection(new Command('picker'))
      .argument('<service>', 'a name, a prefix (acme/*) or HEX/bits')
      .argument('<picker>', 'random, rendezvous, rendezvous-service, least-loaded, power-of-two or default')
      .description('set how one instance of several is chosen')
      .action(setPicker),
  );
  return table;
}

interface TermOptions extends SelectionOptions {
  readonly priority?: number;
  readonly weight?: number;
}

interface AddOptions extends TermOptions {
  readonly link?: number;
  readonly scope?: string;
  readonly all?: boolean;
  readonly broadcast?: boolean;
  readonly refuse?: boolean;
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
}

interface KeyOptions extends SelectionOptions {
  readonly link?: number;
}

interface ModifyOptions extends TermOptions, KeyOptions {
  readonly eject?: boolean;
  readonly readmit?: boolean;
}

function withTerms(command: Command): Command {
  return command
    .option(
      '--priority <n>',
      'of the longest prefix only the rules of the highest one are used',
      wholeNumber(-(2 ** 31), 2 ** 31 - 1),
    )
    .option('--weight <n>', 'share among rules of one prefix and priority', wholeNumber(1, 2 ** 32 - 1));
}

function withKey(command: Command): Command {
  return command
    .argument('<service>', 'a name, a prefix (acme/*) or HEX/bits: exactly that of the rule')
    .argument('[action]', 'forward, delay or drop; where there are several rules')
    .argument('[address]', 'of a forward rule; where there are several')
    .option('--link <n>', 'of a forward rule; where there are several', wholeNumber(0, 255));
}

function show(service: string | undefined, options: SelectionOptions): Promise<void> {
  return reporting('table show', options.json, () => listOfHost('/table', service, options, RULE_COLUMNS));
}

function add(service: string, action: string, address: string | undefined, options: AddOptions): Promise<void> {
  const { priority, weight, link, scope, all, broadcast, refuse, idleTimeout, hardTimeout } = options;
  const rule = {
    ...{ prefix: service, action, address, priority, weight, link, scope },
    ...{ selectAll: all, broadcast, refuses: refuse },
    ...{ idleTimeout: inMilliseconds(idleTimeout), hardTimeout: inMilliseconds(hardTimeout) },
  };
  return change('table add', 'POST', '/table', rule, options);
}

function modify(service: string, action: string | undefined, address: string | undefined, options: ModifyOptions) {
  const { priority, weight, link, eject, readmit } = options;
  const ejected = eject ? true : readmit ? false : undefined;
  return change(
    'table modify',
    'PATCH',
    '/table',
    { prefix: service, action, address, link, priority, weight, ejected },
    options,
  );
}

function remove(service: string, action: string | undefined, address: string | undefined, options: KeyOptions) {
  const query = new URLSearchParams({ prefix: service });
  if (action !== undefined) query.set('action', action);
  if (address !== undefined) query.set('address', address);
  if (options.link !== undefined) query.set('link', String(options.link));
  return change('table delete', 'DELETE', `/table?${query}`, undefined, options);
}

function setPicker(service: string, picker: string, options: SelectionOptions): Promise<void> {
  return reporting('table picker', options.json, async () => {
    const { client } = await findHolder(options);
    const answer = await client.ask('PUT', '/pickers', { prefix: service, picker });
    await printRows([{ ...answer, name: service }], PICKER_COLUMNS, options.json);
  });
}

function change(name: string, method: string, resource: string, body: object | undefined, options: SelectionOptions) {
  return reporting(name, options.json, async () => {
    const { client } = await findHolder(options);
    await printRows(
      [await client.ask(method, resource, body)],
      body === undefined ? KEY_COLUMNS : RULE_COLUMNS,
      options.json,
    );
  });
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.max(1, Math.round(seconds * 1000));
}

const SECONDS = secondsWithin(0.001, 2_000_000);

const statistic = (name: string) => (entry: Entry) => countText((entry['statistics'] as Entry | undefined)?.[name]);

/** How long nothing has matched. */
export function idleText(entry: Entry): string {
  const idle = (entry['statistics'] as Entry | undefined)?.['idle'];
  return typeof idle === 'number' ? durationText(idle / 1000) : '-';
}

/** Where the rule leads. */
function targetText({ action, address, link, protocol, ejected }: Entry): string {
  if (action === 'demux') return `${protocol} socket`;
  if (action !== 'forward') return '-';
  return `${address} by link ${link}${ejected === true ? ', ejected' : ''}`;
}

const KEY_COLUMNS: readonly Column[] = [
  { title: 'SERVICE', text: serviceText },
  { title: 'ACTION', text: ({ action }) => text(action) },
  { title: 'TO', text: targetText },
];

const RULE_COLUMNS: readonly Column[] = [
  ...KEY_COLUMNS,
  { title: 'PRIORITY', text: ({ priority }) => text(priority), isFigure: true },
  { title: 'WEIGHT', text: ({ weight }) => text(weight), isFigure: true },
  { title: 'PACKETS', text: statistic('packetsResolved'), isFigure: true },
  { title: 'DROPPED', text: statistic('packetsDropped'), isFigure: true },
  { title: 'IDLE', text: idleText, isFigure: true },
];

const PICKER_COLUMNS: readonly Column[] = [
  { title: 'SERVICE', text: serviceText },
  { title: 'PICKER', text: ({ picker }) => text(picker) },
];
