/** Which of AWS's runtimes this one stands in for: 22 for nodejs22.x, whatever Node.js really runs. */
export const RUNTIME_VERSION = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)[1]);
