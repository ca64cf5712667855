/** A net that has not been trained yet, as a model like any other. */

import type { ImageSize } from '../data/image-set.ts'
import { UsageError } from '../errors.ts'
import { writeKerasModel } from '../formats/keras/write.ts'
import type { Model } from '../model/model.ts'
import { openModel, PREPROCESSING_KEY } from '../model/open.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { architectureNamed, layersOf } from './architectures/index.ts'
import { drawWeights } from './architectures/initial-weights.ts'

export interface CreateModelOptions {
	/** Of the first weights: a whole number, 0 to 2³²−1. */
	readonly seed: number
	readonly runtime: Runtime
}

/**
 * Makes a Keras `.h5` of architecture `name` for images of size `input` in memory, with first weights drawn from `seed`, and opens it. The
 * same arguments give the same bytes on every machine. The model's preprocessing is the
 * architecture's, and stands in the file (attribute `goodnet.preprocessing`), so that whoever loads it with goodnet need not say it again.
 *
 * @throws UsageError `unknown-architecture`, `bad-seed`
 * @throws InputError `image-too-small`, `too-few-classes`
 */
export async function createModel(
	name: string,
	input: ImageSize,
	classes: number,
	{ seed, runtime }: CreateModelOptions,
): Promise<Model> {
	const { preprocessing } = architectureNamed(name)
	checkSeed(seed)
	const layers = drawWeights(layersOf(name, input, classes), seed)
	const attributes = new Map([[PREPROCESSING_KEY, JSON.stringify(preprocessing)]])
	const bytes = await writeKerasModel({ name: name.replaceAll('-', '_'), layers, attributes })
	return openModel(bytes, { path: `${name}.h5`, sha256: await sha256Of(bytes), runtime })
}

function checkSeed(seed: number): void {
	if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return
	throw new UsageError('bad-seed', `seed: expected a whole number from 0 to ${2 ** 32 - 1}, found ${seed}`)
}

/** Through Web Crypto, which Node and browsers have alike. */
async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
