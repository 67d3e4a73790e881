/**
 * `awslambda.streamifyResponse`. AWS Lambda developer guide, "Response streaming for Lambda functions".
 *
 * The Invoke API returns a streamed response in one piece when it is complete, and so it is
 * collected here; InvokeWithResponseStream is refused by the local AWS.
 */

import { Writable } from 'node:stream';

import { MalformedStreamingHandler } from './errors.mjs';

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const CONTENT_TYPE = 'application/octet-stream';
const HTTP_CONTENT_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_END = Buffer.alloc(8);

export class ResponseStream extends Writable {
  contentType = CONTENT_TYPE;
  #chunks = [];

  setContentType(contentType) {
    this.contentType = contentType;
  }

  _write(chunk, encoding, written) {
    this.#chunks.push(Buffer.from(chunk));
    written();
  }

  /** Everything that was written, once the stream has ended. Rejects when nothing is left that could end it. */
  content() {
    return new Promise((resolve, reject) => {
      const leftOpen = () => reject(new Error('Response stream is not finished.'));
      const finish = () => {
        process.off('beforeExit', leftOpen);
        resolve(Buffer.concat(this.#chunks));
      };
      if (this.writableFinished) {
        finish();
        return;
      }
      process.once('beforeExit', leftOpen);
      this.once('finish', finish);
      this.once('error', reject);
    });
  }
}

class HttpResponseStream {
  /** Send status code and headers, `metadata`, ahead of the body. */
  static from(stream, metadata) {
    stream.setContentType(HTTP_CONTENT_TYPE);
    stream.write(JSON.stringify(metadata));
    stream.write(PRELUDE_END);
    return stream;
  }
}

/** The global object by which functions ask for streaming. */
export function provideStreaming() {
  globalThis.awslambda = {
    streamifyResponse(handler) {
      handler[STREAMING] = 'response';
      return handler;
    },
    HttpResponseStream,
  };
}

export function isStreaming(handler) {
  const kind = handler[STREAMING];
  if (kind && kind !== 'response') {
    throw new MalformedStreamingHandler('Only response streaming is supported.');
  }
  return Boolean(kind);
}
