/**
 * External data: weights that an ONNX model keeps in files beside its own, as PyTorch's dynamo exporter does for all but small ones. Each
 * tensor names a file, and where in it its bytes stand (github.com/onnx/onnx, docs/ExternalData.md). No file is opened here.
 */
import { type ModelProto, type NodeProto, type TensorProto, TensorProto_DataLocation } from 'onnx-buf'
import { UnsupportedError } from '../errors.ts'
import { corrupt } from './onnx-corrupt.ts'

/** Where tensors come from: the model's name for messages, and the files beside it, by the names that it gives them. */
export interface TensorSource {
	readonly path: string | undefined
	readonly beside: ReadonlyMap<string, Uint8Array>
}

/** Where a tensor's bytes stand. */
export interface ExternalPlace {
	readonly location: string
	readonly offset: number
	/** Null: to the end of the file. */
	readonly length: number | null
}

export function isExternal({ dataLocation }: TensorProto): boolean {
	return dataLocation === TensorProto_DataLocation.EXTERNAL
}

/** Names of the files that hold tensors of `model`, as it gives them; with repetitions. */
export function externalFiles(model: ModelProto): string[] {
	const nodes = [...(model.graph?.node ?? []), ...model.functions.flatMap(({ node }) => node)]
	const tensors = [...(model.graph?.initializer ?? []), ...nodes.flatMap(tensorsOf)]
	return tensors.filter(isExternal).map((tensor) => locationOf(tensor))
}

function tensorsOf({ attribute }: NodeProto): TensorProto[] {
	return attribute.flatMap(({ t }) => t ?? [])
}

function locationOf({ externalData }: TensorProto): string {
	return externalData.find(({ key }) => key === 'location')?.value ?? ''
}

/**
 * Where the bytes of `tensor` stand.
 * @throws FormatError `corrupt-onnx` where its entries are no whole numbers
 */
export function externalPlace(tensor: TensorProto, path: string | undefined): ExternalPlace {
	const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
	const numberAt = (key: string) => {
		const text = entries.get(key)
		if (text === undefined) return null
		const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
		if (Number.isSafeInteger(value)) return value
		throw corrupt(`tensor ${tensor.name}: expected its ${key} as a whole number, found ${text.slice(0, 40)}`, path)
	}
	return { location: locationOf(tensor), offset: numberAt('offset') ?? 0, length: numberAt('length') }
}

/**
 * The bytes of an external tensor, a view into the file that holds them.
 * @throws UnsupportedError `external-data` where the file was not handed in, FormatError `corrupt-onnx` where it is too short
 */
export function externalBytes(tensor: TensorProto, { path, beside }: TensorSource): Uint8Array {
	const { location, offset, length } = externalPlace(tensor, path)
	const file = beside.get(location)
	if (!file) {
		const message = `${path ?? 'model'}: tensor ${tensor.name} is stored in a second file, ${location || '(not named)'}, which was not handed in with the model`
		throw new UnsupportedError('external-data', message, { path, layer: tensor.name })
	}
	const end = length === null ? file.length : offset + length
	if (offset <= end && end <= file.length) return file.subarray(offset, end)
	throw corrupt(
		`tensor ${tensor.name}: expected bytes ${offset} to ${end} of ${location}, which has ${file.length}`,
		path,
	)
}
