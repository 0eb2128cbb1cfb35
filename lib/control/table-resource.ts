// The service table as a resource: rules are listed, added, changed and deleted. What is asked for is checked, then
// carried out by the commands that controllers use (§4.3).

import type { ServiceCommand } from '../stack/control-interface';
import { PICKER_NAMES, type PickerName } from '../table/pickers/picker-names';
import type { RuleKey } from '../table/service-rule';
import { ServicePrefix } from '../wire/service-id';
import { ControlError, ControlErrorCode } from './control-error';
import type { ControlledHost } from './controlled-host';
import { type RequestFields, wrong } from './request-fields';
import { describeKey, describeRule, describeStatistics } from './rule-description';
import { priorityOf, ruleToAdd, selectionOf, selectRule, weightOf } from './rule-request';

/** `status`: 201 when there was no such rule before. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** A rule of the same key has its terms replaced, and its timeouts start anew. */
export function addRule(host: ControlledHost, fields: RequestFields): Answer {
  const rule = ruleToAdd(fields, host.stack, host.facts().wellKnownPort);
  const isNew = host.stack.sal.serviceTable.statistics(rule) === undefined;
  host.command({ kind: 'addRule', rule });
  if (host.stack.sal.serviceTable.statistics(rule) === undefined) {
    throw new ControlError(ControlErrorCode.full, 'the table takes no more rules, or this prefix does not');
  }
  // What waits for a rule of this prefix waits no longer.
  host.command({ kind: 'releaseDelayed', prefix: rule.prefix });
  return { status: isNew ? 201 : 200, body: describeCurrent(host, rule) };
}

export function modifyRule(host: ControlledHost, fields: RequestFields): Answer {
  const { stack } = host;
  const selection = selectionOf(fields, stack, host.facts().wellKnownPort);
  const priority = priorityOf(fields);
  const weight = weightOf(fields);
  const ejected = fields.boolean('ejected');
  fields.checkNoOthers();
  if (priority === undefined && weight === undefined && ejected === undefined) {
    throw wrong('say what to change: priority, weight or ejected');
  }
  const rule = selectRule(selection, stack);
  if (ejected !== undefined && rule.action !== 'forward') throw wrong('only rules of action forward can be ejected');
  const change = { ...(priority === undefined ? {} : { priority }), ...(weight === undefined ? {} : { weight }) };
  if (Object.keys(change).length > 0) host.command({ kind: 'modifyRule', rule, ...change });
  if (ejected !== undefined) host.command(ejection(rule, ejected));
  if (ejected === true && !isEjected(host, rule)) {
    throw new ControlError(ControlErrorCode.lastRule, `it is the last rule of ${rule.prefix} that leads somewhere`);
  }
  return { status: 200, body: describeCurrent(host, rule) };
}

export function deleteRule(host: ControlledHost, fields: RequestFields): Answer {
  const selection = selectionOf(fields, host.stack, host.facts().wellKnownPort);
  fields.checkNoOthers();
  const rule = selectRule(selection, host.stack);
  host.command({ kind: 'deleteRule', rule });
  return { status: 200, body: describeKey(rule) };
}

/** How one instance of several is chosen for the services of a prefix; `default`: as for those around it. */
export function setPicker(host: ControlledHost, fields: RequestFields): Answer {
  const prefix = fields.prefix('prefix') ?? ServicePrefix.any;
  const named = fields.required('picker', fields.oneOf<PickerName | 'default'>('picker', [...PICKER_NAMES, 'default']));
  fields.checkNoOthers();
  host.command({ kind: 'setPicker', prefix, picker: named === 'default' ? undefined : named });
  return { status: 200, body: { prefix, picker: named } };
}

function ejection(rule: RuleKey, isEjected: boolean): ServiceCommand {
  return { kind: isEjected ? 'ejectRule' : 'readmitRule', rule };
}

function isEjected(host: ControlledHost, key: RuleKey): boolean {
  const rule = currentRule(host, key);
  return rule?.action === 'forward' && rule.ejected === true;
}

function describeCurrent(host: ControlledHost, key: RuleKey): object {
  const rule = currentRule(host, key)!;
  const statistics = describeStatistics(host.stack.sal.serviceTable.statistics(rule)!, host.now());
  return { ...describeRule(rule), statistics };
}

function currentRule(host: ControlledHost, key: RuleKey) {
  const rules = host.stack.sal.serviceTable.rulesOf(key.prefix);
  return rules.find((rule) => rule.action === key.action && (key.action !== 'forward' || isSameHop(rule, key)));
}

function isSameHop(rule: RuleKey, key: RuleKey): boolean {
  if (rule.action !== 'forward' || key.action !== 'forward') return false;
  return rule.address.equals(key.address) && rule.link === key.link;
}
