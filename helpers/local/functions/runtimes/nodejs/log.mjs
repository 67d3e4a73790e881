/**
 * The console as Lambda's: one log event a call, whatever lines it has.
 *
 * AWS Lambda developer guide, "Log and monitor Node.js Lambda functions". Events go to the platform
 * as frames (type, length, time in microseconds, message; big endian), each in one write.
 */

import { writeSync } from 'node:fs';
import { format } from 'node:util';

import { errorText, lines } from './errors.mjs';
import { RUNTIME_VERSION } from './runtime_version.mjs';
import { hintAboutSdk } from './sdk.mjs';

const FRAME_HEADER_BYTES = 16;
const FRAME_TYPE_TEXT = 0xa55a0003;
const FRAME_TYPE_JSON = 0xa55a0002;
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const RETRY_MS = 1;

const isJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
const lowestLevel = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
const descriptor = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

// What stands in the place of the request id during INIT differs between AWS's runtimes.
let requestId = RUNTIME_VERSION < 24 ? undefined : '-';

export function setRequestId(id) {
  requestId = id;
}

export function patchConsole() {
  for (const level of LEVELS) {
    const isHidden = LEVELS.indexOf(level) < lowestLevel;
    console[level.toLowerCase()] = isHidden ? () => {} : (message, ...rest) => log(level, [message, ...rest]);
  }
  console.log = console.info;
}

/** Log an error that ends an invocation or the runtime. */
export function logError(title, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const hint = hintAboutSdk(error);
  if (hint !== undefined) {
    console.warn(hint);
  }
  if (isJson) {
    console.error(error);
  } else {
    console.error(title, errorText(error));
  }
}

function log(level, args) {
  const now = new Date();
  const time = now.toISOString();
  const message = isJson
    ? jsonMessage(time, level, args)
    : `${time}\t${requestId}\t${level}\t${format(...args)}\n`;
  writeFrame(now, level, message);
}

function jsonMessage(timestamp, level, args) {
  const event = { timestamp, level, requestId };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...event, message: args[0] }, describeError);
    } catch {
      return JSON.stringify({ ...event, message: format(args[0]) });
    }
  }
  const error = args.find((arg) => arg instanceof Error);
  return JSON.stringify({ ...event, message: format(...args), ...(error && errorFields(error)) });
}

function describeError(key, value) {
  return value instanceof Error ? { ...errorFields(value), ...value } : value;
}

function errorFields(error) {
  return { errorType: error.constructor.name, errorMessage: error.message, stackTrace: lines(error.stack) };
}

function writeFrame(now, level, message) {
  const length = Buffer.byteLength(message);
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
  const levelBits = (LEVELS.indexOf(level) + 1) << 2;
  frame.writeUInt32BE(((isJson ? FRAME_TYPE_JSON : FRAME_TYPE_TEXT) | levelBits) >>> 0, 0);
  frame.writeUInt32BE(length, 4);
  frame.writeBigUInt64BE(BigInt(now.getTime()) * 1000n, 8);
  frame.write(message, FRAME_HEADER_BYTES);
  writeAll(frame);
}

function writeAll(data) {
  for (let written = 0; written < data.length; ) {
    try {
      written += writeSync(descriptor, data, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') {
        throw error;
      }
      // Whoever uses process.stdout makes the pipe non-blocking: wait until it is read.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
