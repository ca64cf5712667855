/** Whole sets of faces: who the people are, and a stream of pictures of them for each split. */

import type { LabelledImages } from '../data/labelled.ts'
import { createRandom } from '../random.ts'
import { IMAGE_SIZE } from './canvas.ts'
import { DEMO } from './constants.ts'
import { drawFace } from './face.ts'
import { drawIdentity, type Identity } from './identity.ts'
import { drawNuisance, neutralNuisance } from './nuisance.ts'

/** Splits share people and nothing else. */
export type Split = 'train' | 'valid' | 'test'

export interface FacesOptions {
	readonly split: Split
	/** Pictures of each person. */
	readonly perIdentity: number
	/** People; the first ones of a larger number are the same people. Default `DEMO.identities`. */
	readonly identities?: number
	/** Default `DEMO.seed`. Another seed gives other people. */
	readonly seed?: number
}

/** Second name of each random stream; the third is the picture's number (or the candidate's, for people). */
const STREAMS = { people: 1, train: 2, valid: 3, test: 4 } as const

/**
 * Two people's neutral portraits differ by at least this many levels on average over all pixels and colours. Two people drawn at random
 * differ by about 40; the strongest noise changes a portrait by about 4.
 */
const MIN_DIFFERENCE = 9

/**
 * Draws a set, `[count, 55, 47, 3]` RGB. Labels go person after person, then the next picture of each: any beginning of a set shows many
 * people. The same options give the same bytes on every machine.
 */
export function drawFaces({
	split,
	perIdentity,
	identities = DEMO.identities,
	seed = DEMO.seed,
}: FacesOptions): LabelledImages {
	const people = drawPeople(identities, seed)
	const count = people.length * perIdentity
	const pixels = new Uint8Array(count * IMAGE_SIZE)
	const labels = new Int32Array(count)
	for (let i = 0; i < count; i++) {
		const label = i % people.length
		const taking = (i - label) / people.length
		const random = createRandom(seed, STREAMS[split], taking * 65_536 + label)
		labels[i] = label
		pixels.set(drawFace(people[label]!, drawNuisance(random)), i * IMAGE_SIZE)
	}
	return { pixels, labels, count }
}

/** `count` people, each of whom can be told from all earlier ones in a neutral portrait. */
export function drawPeople(count: number, seed: number = DEMO.seed): readonly Identity[] {
	const people: Identity[] = []
	const portraits: Uint8Array[] = []
	for (let candidate = 0; people.length < count; candidate++) {
		const random = createRandom(seed, STREAMS.people, candidate)
		const identity = drawIdentity(random)
		const portrait = drawFace(identity, neutralNuisance(random))
		if (portraits.some((other) => difference(portrait, other) < MIN_DIFFERENCE)) continue
		people.push(identity)
		portraits.push(portrait)
	}
	return people
}

/** Mean absolute difference of two images, in levels. */
export function difference(one: Uint8Array, other: Uint8Array): number {
	let sum = 0
	for (let i = 0; i < one.length; i++) sum += Math.abs(one[i]! - other[i]!)
	return sum / one.length
}
