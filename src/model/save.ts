/** `Model` → files on disk. */
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../errors.ts'
import { writeFilesWhole } from '../files.ts'
import type { Model, ModelFormat } from './model.ts'
import { type ModelFiles, onnxFile, sourceFiles } from './write-back.ts'

/** What the name of a model's file ends in, by format; the first is what we write. */
const ENDINGS: Readonly<Record<ModelFormat, readonly string[]>> = {
	'keras-h5': ['.h5', '.hdf5'],
	'keras-v3': ['.keras'],
	'tfjs-layers': ['.json'],
	onnx: ['.onnx'],
}

/**
 * Where a repaired form of `model` goes in its own format: `stem.h5`, or a folder of its own where files belong together:
 * `stem_tfjs/model.json`, `stem_onnx/` with the original's names.
 */
export function sourceName({ source }: Model, stem: string, { beside }: ModelFiles): string {
	const [ending = ''] = ENDINGS[source.format]
	if (beside.size === 0) return stem + ending
	return source.format === 'onnx' ? `${stem}_onnx/${basename(source.path)}` : `${stem}_tfjs/model.json`
}

/** All files of a model whose own is at `path`, those beside it first. */
export function placedFiles(path: string, { main, beside }: ModelFiles): Map<string, Uint8Array> {
	const others = [...beside].map(([name, bytes]) => [join(dirname(path), name), bytes] as const)
	return new Map([...others, [path, main]])
}

/**
 * Saves a model, or a GoodNet's: any model under a name that ends in `.onnx`, and one that came as Keras `.h5`, `.keras` or TF.js under a
 * name of its own format. A TF.js model is given its folder, or its `model.json` in it. Written under temporary names, then renamed.
 *
 * @throws UsageError `unknown-extension`, `wrong-format`; InputError `cannot-write-back`, `exists` unless `force`, `disk-full`
 */
export async function saveModel(model: Model, path: string, options: { readonly force?: boolean } = {}): Promise<void> {
	const format = formatOf(path)
	const file = format === 'tfjs-layers' && !/\.json$/i.test(path) ? join(path, 'model.json') : path
	await writeFilesWhole(placedFiles(file, await filesIn(model, format, path)), options)
}

async function filesIn(model: Model, format: ModelFormat, path: string): Promise<ModelFiles> {
	if (format === 'onnx') return { main: onnxFile(model), beside: new Map() }
	if (format === model.source.format) return sourceFiles(model)
	const own = ENDINGS[model.source.format][0]
	const message = `${path}: ${model.source.path} can be saved as ${own === '.onnx' ? own : `${own} or .onnx`}, found another format's name`
	throw new UsageError('wrong-format', message)
}

/** By the name's ending; a name without one is a TF.js folder. */
function formatOf(path: string): ModelFormat {
	const name = basename(path).toLowerCase()
	if (!name.includes('.')) return 'tfjs-layers'
	const formats = Object.keys(ENDINGS) as ModelFormat[] // the table's own keys
	const format = formats.find((each) => ENDINGS[each].some((ending) => name.endsWith(ending)))
	if (format) return format
	const expected = Object.values(ENDINGS).flat().join(', ')
	throw new UsageError('unknown-extension', `${path}: expected a name ending in ${expected}, or a folder for TF.js`)
}
