/**
 * Client of AWS Lambda's Runtime API.
 *
 * HTTP/1.1 over one connection, one request after the other, every answer with its length: for that
 * little, Node.js's own client costs several times as much, and under the CPU share of a small
 * function the difference would be seen in every duration.
 */

import { connect } from 'node:net';

import { errorDocument } from './errors.mjs';

const PREFIX = '/2018-06-01/runtime';
const HEAD_END = Buffer.from('\r\n\r\n');

export class RuntimeApi {
  #address;
  #socket;
  #answer = null;
  #last = Promise.resolve();

  constructor(address) {
    const [host, port] = address.split(':');
    this.#address = address;
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.on('data', (data) => this.#receive(data));
    this.#socket.on('error', (error) => this.#answer?.reject(error));
    this.#socket.on('close', () => this.#answer?.reject(new Error('The Runtime API has closed the connection.')));
  }

  /** The next event, `{ headers, body }`, once there is one. */
  next() {
    return this.#request('GET', '/invocation/next');
  }

  postResponse(requestId, { body, contentType }) {
    return this.#request('POST', `/invocation/${requestId}/response`, body, { 'Content-Type': contentType });
  }

  postError(requestId, error) {
    return this.#postErrorTo(`/invocation/${requestId}/error`, error);
  }

  postInitError(error) {
    return this.#postErrorTo('/init/error', error);
  }

  #postErrorTo(path, error) {
    const document = errorDocument(error);
    return this.#request('POST', path, JSON.stringify(document), {
      'Content-Type': 'application/vnd.aws.lambda.error+json',
      'Lambda-Runtime-Function-Error-Type': printable(document.errorType),
    });
  }

  #request(method, path, body = '', headers = {}) {
    const send = () => this.#send(method, path, body, headers);
    this.#last = this.#last.then(send, send);
    return this.#last;
  }

  #send(method, path, body, headers) {
    const length = Buffer.byteLength(body);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `${method} ${PREFIX}${path} HTTP/1.1\r\nHost: ${this.#address}\r\nContent-Length: ${length}\r\n`;
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject, chunks: [], receivedBytes: 0, headers: null, bodyBytes: Infinity };
      // Only an answer that is waited for keeps the event loop from being empty.
      this.#socket.ref();
      this.#socket.cork();
      this.#socket.write(`${head}${lines.join('')}\r\n`);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  #receive(data) {
    const answer = this.#answer;
    const body = answer.headers === null ? takeHead(answer, data) : data;
    answer.chunks.push(body);
    answer.receivedBytes += body.length;
    if (answer.receivedBytes >= answer.bodyBytes) {
      this.#socket.unref();
      answer.resolve({ headers: answer.headers, body: Buffer.concat(answer.chunks).toString() });
    }
  }
}

/** Note the headers, if `data` completes them, and return what is left to be taken for the body. */
function takeHead(answer, data) {
  const received = Buffer.concat([...answer.chunks, data]);
  answer.chunks = [];
  answer.receivedBytes = 0;
  const end = received.indexOf(HEAD_END);
  if (end === -1) {
    return received;
  }
  answer.headers = parseHeaders(received.toString('latin1', 0, end));
  answer.bodyBytes = Number(answer.headers['content-length']);
  return received.subarray(end + HEAD_END.length);
}

function parseHeaders(head) {
  const [, ...lines] = head.split('\r\n');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** What a header may hold. */
function printable(text) {
  return String(text).replaceAll(/[^\x20-\x7e]/g, '?');
}
