// The JSON object that a request brings, of a bounded size.

import type { IncomingMessage } from 'node:http';
import { ControlError, ControlErrorCode } from './control-error';
import { CONTROL_BODY_MAXIMUM } from './control-limits';
import { RequestFields } from './request-fields';

export async function readBody(request: IncomingMessage): Promise<RequestFields> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > CONTROL_BODY_MAXIMUM) {
      throw new ControlError(ControlErrorCode.bodyTooLarge, `a body has ${CONTROL_BODY_MAXIMUM} bytes at most`);
    }
    chunks.push(chunk);
  }
  return RequestFields.ofBody(parseBody(Buffer.concat(chunks).toString('utf8')));
}

function parseBody(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ControlError(ControlErrorCode.body, 'the body must be a JSON object');
}
