/**
 * What to say when a package of the AWS SDK for JavaScript is missing.
 *
 * AWS Lambda developer guide, "Building Lambda functions with Node.js", "Runtime-included SDK versions": AWS's
 * runtimes bring every client. The local AWS brings those that the workshop pins, so a function that works
 * on AWS may fail here, and has to say why.
 */

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const MISSING = /Cannot find (?:module|package) '(@aws-sdk\/[^'/]+)/;

/** A hint for the log; undefined when `error` is about something else. */
export function hintAboutSdk(error) {
  const missing = MISSING.exec(error.message)?.[1];
  if (missing === undefined) {
    return undefined;
  }
  const brought = broughtAlong();
  if (brought.length === 0) {
    return (
      'The AWS SDK is not installed on this machine. Run `python -m helpers.node_packages` in the ' +
      "workshop's environment while npm's registry can be reached, and start the local AWS again."
    );
  }
  return (
    `The local AWS does not bring ${missing}. It brings ${brought.join(', ')}. ` +
    'Put others into the deployment package or a layer, or add them to data/nodejs.'
  );
}

function broughtAlong() {
  const directory = path.join(process.env.LAMBDA_RUNTIME_DIR, 'node_modules', '@aws-sdk');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.filter((name) => /^(client|lib)-/.test(name)).map((name) => `@aws-sdk/${name}`);
}
