/**
 * Find the handler: `src/app.handler` is the export `handler` of src/app.js, .mjs or .cjs.
 *
 * AWS Lambda developer guide, "Define Lambda function handler in Node.js", "Designating a function
 * handler as an ES module" and "Working with layers for Node.js Lambda functions".
 */

import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { HandlerNotFound, ImportModuleError, MalformedHandlerName, UserCodeSyntaxError } from './errors.mjs';
import { RUNTIME_VERSION } from './runtime_version.mjs';

const EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

const require = createRequire(import.meta.url);

/** Throws the runtime's own errors for a bad name, module or export, and whatever the module throws. */
export async function loadHandler(taskRoot, name) {
  const { folder, moduleName, exportPath } = parse(name);
  searchNodePathForModules();
  const exported = await load(taskRoot, folder, moduleName);
  const handler = resolve(exported, exportPath);
  if (!handler) {
    throw new HandlerNotFound(`${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw new HandlerNotFound(`${name} is not a function`);
  }
  return handler;
}

function parse(name) {
  if (name.includes('..')) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const file = path.basename(name);
  const dot = file.indexOf('.');
  if (dot === -1) {
    throw new MalformedHandlerName('Bad handler');
  }
  return {
    folder: name.slice(0, name.length - file.length),
    moduleName: file.slice(0, dot),
    exportPath: file.slice(dot + 1).split('.'),
  };
}

async function load(taskRoot, folder, moduleName) {
  const directory = path.resolve(taskRoot, folder);
  try {
    for (const extension of EXTENSIONS) {
      const file = path.join(directory, moduleName + extension);
      if (statSync(file, { throwIfNoEntry: false })?.isFile()) {
        const namespace = await import(pathToFileURL(file));
        // Of a CommonJS module the exports themselves: the namespace has only names found by parsing.
        return require.cache[realpathSync(file)]?.exports ?? namespace;
      }
    }
    return require(require.resolve(moduleName, { paths: [taskRoot, directory] }));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UserCodeSyntaxError(error);
    }
    throw error?.code === 'MODULE_NOT_FOUND' ? new ImportModuleError(error) : error;
  }
}

function resolve(exported, exportPath) {
  const find = (root) => exportPath.reduce((object, key) => object?.[key], root);
  return find(exported) ?? (RUNTIME_VERSION < 24 ? undefined : find(exported?.default));
}

/**
 * Let ES modules import packages from NODE_PATH, where layers are, as AWS's Node.js 18 and later do
 * ("Node.js 18.x runtime now available in AWS Lambda"). Node.js itself looks there for CommonJS only.
 */
function searchNodePathForModules() {
  const parents = process.env.NODE_PATH.split(':')
    .filter((folder) => path.basename(folder) === 'node_modules' && existsSync(folder))
    .map((folder) => pathToFileURL(path.join(folder, '..', 'importer')).href);
  if (parents.length > 0) {
    registerHooks({ resolve: (...args) => resolveWith(parents, ...args) });
  }
}

/** Resolve as usual, then as if the import stood in a module beside each `node_modules` of NODE_PATH. */
function resolveWith(parents, specifier, context, nextResolve) {
  const isPackage = !/^[./#]|^[a-z]+:/.test(specifier);
  try {
    return nextResolve(specifier, context);
  } catch (error) {
    for (const parentURL of isPackage && error.code === 'ERR_MODULE_NOT_FOUND' ? parents : []) {
      try {
        return nextResolve(specifier, { ...context, parentURL });
      } catch (notThere) {
        if (notThere.code !== 'ERR_MODULE_NOT_FOUND') {
          throw notThere;
        }
      }
    }
    throw error;
  }
}
