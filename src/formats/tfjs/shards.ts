/** The bytes of a TF.js model's weights: shards put together to read and change weights in, and taken apart again. */
import { FormatError, InputError } from '../../errors.ts'
import type { StoredArray, WeightFile } from '../keras/stored.ts'
import type { Affine, ManifestGroup, ManifestWeight } from './manifest.ts'

/** A group's weights in one piece; `lengths` are those of its shards. */
interface Joined {
	readonly group: ManifestGroup
	readonly bytes: Uint8Array
	readonly lengths: readonly number[]
}

/** The weights of a model in memory. Writing changes a copy of the shards, which `files` hands out. */
export class Shards implements WeightFile {
	readonly #path: string
	readonly #joined: readonly Joined[]
	readonly #places: ReadonlyMap<string, { readonly weight: ManifestWeight; readonly bytes: Uint8Array }>

	/**
	 * @param files every shard that the groups name
	 * @throws FormatError `corrupt-tfjs` where the shards of a group do not hold what the manifest says
	 */
	constructor(groups: readonly ManifestGroup[], files: ReadonlyMap<string, Uint8Array>, path: string) {
		this.#path = path
		this.#joined = groups.map((group) => join(group, files, path))
		this.#places = new Map(
			this.#joined.flatMap(({ group, bytes }) =>
				group.weights.map((weight) => [weight.name, { weight, bytes: bytes.subarray(weight.start, weight.end) }]),
			),
		)
	}

	/** Names of all weights, in the manifest's order. */
	get names(): string[] {
		return [...this.#places.keys()]
	}

	dimsOf(name: string): readonly number[] {
		return this.#placeOf(name).weight.dims
	}

	readArray(name: string): StoredArray {
		const { weight, bytes } = this.#placeOf(name)
		const { dims, stored, affine } = weight
		if (affine)
			return { dataset: name, dims, size: 4, bytes: new Uint8Array(dequantise(view(weight, bytes), affine).buffer) }
		if (stored === 'float32' || stored === 'float16') {
			return { dataset: name, dims, size: stored === 'float32' ? 4 : 2, bytes: bytes.slice() }
		}
		throw new FormatError(
			'bad-config',
			`${this.#path}: weight ${name}: expected floating-point numbers, found ${stored}`,
			{
				path: this.#path,
				layer: name,
			},
		)
	}

	writeArray({ dataset: name, bytes: changed }: StoredArray): void {
		const { weight, bytes } = this.#placeOf(name)
		if (weight.affine) bytes.set(this.#requantise(weight, weight.affine, bytes, new Float32Array(changed.buffer)))
		else bytes.set(changed)
	}

	/** The shards by name, as they are now. */
	files(): Map<string, Uint8Array> {
		return new Map(this.#joined.flatMap(({ group, bytes, lengths }) => split(group.paths, lengths, bytes)))
	}

	#placeOf(name: string) {
		const place = this.#places.get(name)
		if (!place) throw new FormatError('corrupt-tfjs', `${this.#path}: weight ${name} is missing`, { path: this.#path })
		return place
	}

	/** Numbers that did not change keep their stored ones; a changed one is stored only where that is exact. */
	#requantise(weight: ManifestWeight, affine: Affine, bytes: Uint8Array, values: Float32Array): Uint8Array {
		const stored = view(weight, bytes).slice()
		const before = dequantise(stored, affine)
		for (const [index, value] of values.entries()) {
			if (before[index] === value) continue
			stored[index] = Math.round((value - affine.min) / affine.scale)
			if (dequantise(stored.subarray(index, index + 1), affine)[0] === value) continue
			const message = `${this.#path}: weight ${weight.name} is stored as ${weight.stored}, which has no exact ${value}; save it as .onnx`
			throw new InputError('cannot-write-back', message, { path: this.#path, layer: weight.name })
		}
		return new Uint8Array(stored.buffer)
	}
}

function join(group: ManifestGroup, files: ReadonlyMap<string, Uint8Array>, path: string): Joined {
	const shards = group.paths.map((name) => files.get(name) ?? new Uint8Array(0))
	const lengths = shards.map(({ length }) => length)
	const found = lengths.reduce((sum, length) => sum + length, 0)
	if (found !== group.bytes) {
		const message = `${path}: expected ${group.bytes} bytes of weights in ${group.paths.join(', ')}, found ${found}: files of different models, or cut off`
		throw new FormatError('corrupt-tfjs', message, { path })
	}
	const bytes = new Uint8Array(found)
	let offset = 0
	for (const shard of shards) {
		bytes.set(shard, offset)
		offset += shard.length
	}
	return { group, bytes, lengths }
}

function split(names: readonly string[], lengths: readonly number[], bytes: Uint8Array): [string, Uint8Array][] {
	let offset = 0
	return names.map((name, index) => {
		const start = offset
		offset += lengths[index] ?? 0
		return [name, bytes.slice(start, offset)]
	})
}

function view({ stored }: ManifestWeight, bytes: Uint8Array): Uint8Array | Uint16Array {
	const own = bytes.slice()
	return stored === 'uint8' ? own : new Uint16Array(own.buffer)
}

function dequantise(stored: Uint8Array | Uint16Array, { scale, min }: Affine): Float32Array<ArrayBuffer> {
	return Float32Array.from(stored, (value) => value * scale + min)
}
