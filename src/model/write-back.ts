/** A model → the files it came from, with the changed weights and nothing else changed; or a single ONNX file. */
import { GoodnetError, InputError, UsageError } from '../errors.ts'
import { writeBackKerasArchive } from '../formats/keras/archive.ts'
import { writeBackKeras } from '../formats/keras/write-back.ts'
import { writeBackOnnx, writeBackOnnxFiles } from '../formats/onnx.ts'
import { writeBackTfjs } from '../formats/tfjs/tfjs.ts'
import type { Graph } from '../graph/graph.ts'
import { encodeOnnx } from '../graph/onnx.ts'
import type { Model } from './model.ts'
import { PREPROCESSING_KEY } from './open.ts'

/** A model's file, and those that belong beside it, by their path from its folder. */
export interface ModelFiles {
	readonly main: Uint8Array
	readonly beside: ReadonlyMap<string, Uint8Array>
}

/**
 * The model as one ONNX file. Of an ONNX model in one file it is that file with the changed weights and nothing else changed; external
 * data are taken in.
 */
export function onnxFile(model: Model): Uint8Array {
	const { source, graph } = model
	if (source.format !== 'onnx' || !source.bytes) return encodeOnnx(withPreprocessing(model))
	return source.beside.size > 0 ? encodeOnnx(graph) : writeBackOnnx(source.bytes, source.graph, graph)
}

/** A file that we make says how to feed it; one that somebody else made keeps the metadata it came with. */
function withPreprocessing({ graph, preprocessing }: Model): Graph {
	return { ...graph, metadata: new Map([...graph.metadata, [PREPROCESSING_KEY, JSON.stringify(preprocessing)]]) }
}

/**
 * The model in the format it came in: the files it was read from with the changed weights and nothing else changed.
 *
 * @throws InputError `cannot-write-back` where the repair added nodes (a mask), which no weight of the files can express, or where a
 *   quantised weight cannot be stored exactly
 * @throws UsageError `wrong-format` for a model that was not read from a file
 */
export async function sourceFiles(model: Model): Promise<ModelFiles> {
	const { source, graph } = model
	const { path, bytes, beside } = source
	if (!bytes) throw new UsageError('wrong-format', `${path}: expected a model read from a file, found one made here`)
	if (source.format !== 'onnx' && graph.nodes.length !== source.graph.nodes.length) throw cannotWriteBack(path)
	switch (source.format) {
		case 'keras-h5':
			return { main: await writeBackKeras(bytes, source.graph, graph), beside }
		case 'keras-v3':
			return { main: await writeBackKerasArchive(bytes, source.graph, graph), beside }
		case 'tfjs-layers':
			return { main: bytes, beside: writeBackTfjs(bytes, beside, source.graph, graph, path) }
		case 'onnx':
			return writeBackOnnxFiles({ main: bytes, beside }, source.graph, graph)
	}
}

/** As `sourceFiles`, or null where the format has no place for the repair; it then comes out as ONNX only. */
export async function sourceFilesOrNull(model: Model): Promise<ModelFiles | null> {
	return sourceFiles(model).catch((error: unknown) => {
		if (error instanceof GoodnetError && error.code === 'cannot-write-back') return null
		throw error
	})
}

function cannotWriteBack(path: string): InputError {
	const message = `${path}: this repair is a mask in the graph, not a change of weights, and the file's format has no place for it; save it as .onnx`
	return new InputError('cannot-write-back', message, { path })
}
