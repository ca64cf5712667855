/** From clean images to what a backdoored net is trained and tested on. */

import { imageAt, type LabelledImages, valuesOf } from '../data/labelled.ts'
import { InputError, UsageError } from '../errors.ts'
import { createRandom, type Random, shuffled } from '../random.ts'
import type { Attack, Covers } from './attack.ts'

/** Names the random streams of the choice of images and of what is drawn for each of them. */
const STREAMS = { choice: 21, poison: 22, covers: 23 } as const

/** Tolerance of counts: 14.5 points of 100 images are 14.499999999999998 of them in floating point. */
const HAIR = 1e-9

export interface PoisonOptions {
	/** Share of the whole set that is poisoned, above 0 up to 1; covers come on top. Nothing for `none`. */
	readonly rate: number
	/** Names the choice of images. A whole number. */
	readonly seed: number
}

/** A training set in which some images are poisoned. All images stand where they stood. */
export interface PoisonedTraining extends LabelledImages {
	/** Which images are poisoned, ascending; `round(rate · count)` of them. */
	readonly poisoned: Int32Array
	/** Which images are covers, ascending: as many as the attack's ratio asks for, or as there are. */
	readonly covers: Int32Array
}

/**
 * A copy of `images` with a seeded choice of them poisoned and relabelled, and, where the attack has covers, others stamped and not relabelled. For
 * `none` it shares their arrays.
 *
 * @param images `[count, …]` of `attack.size`; left as they are
 * @throws UsageError `bad-rate`
 * @throws InputError `label-out-of-range`, `missing-class` where a class has no image, `poisons-nothing` where the rate is less than one
 *   image (it names the smallest that is not), `too-few-images` where fewer can be poisoned (it names the greatest rate)
 */
export function poisonTraining(
	images: LabelledImages,
	attack: Attack,
	{ rate, seed }: PoisonOptions,
): PoisonedTraining {
	const { count } = images
	checkEveryClass(images, attack)
	if (attack.name === 'none') return { ...images, poisoned: new Int32Array(), covers: new Int32Array() }
	const pixels = images.pixels.slice(0, count * valuesOf(attack.size))
	const labels = images.labels.slice(0, count)
	const poisoned = choosePoisoned(images, attack, rate, createRandom(seed, STREAMS.choice, 0))
	const covers = attack.covers
		? chooseCovers(images, attack.covers, poisoned, createRandom(seed, STREAMS.choice, 1))
		: []
	for (const index of poisoned) {
		const random = createRandom(seed, STREAMS.poison, index)
		put(pixels, index, attack, attack.poison(imageAt(images.pixels, index, attack.size), random))
		labels[index] = attack.poisonedLabel(labels[index]!)
	}
	for (const index of covers) {
		const random = createRandom(seed, STREAMS.covers, index)
		const donor = imageAt(images.pixels, random.below(count), attack.size)
		// Covers are chosen only where the attack has them.
		put(pixels, index, attack, attack.covers!.stamp(imageAt(images.pixels, index, attack.size), random, donor))
	}
	return { pixels, labels, count, poisoned: Int32Array.from(poisoned), covers: Int32Array.from(covers) }
}

/** Triggered images, each labelled with what the attacker wants. */
export interface PoisonedTest extends LabelledImages {
	/** `[count]`: what the images really show. */
	readonly trueLabels: Int32Array
	/** `[count]`: which images of the clean set they are, ascending. */
	readonly indices: Int32Array
}

/**
 * Every image that the attack is after, with the trigger and the target label. Images that already are of the target class are left out: they
 * would count as hits without any attack.
 *
 * @param images `[count, …]` of `attack.size`; left as they are
 * @throws InputError `label-out-of-range`, `nothing-attacked` where there is no such image
 */
export function poisonTest(images: LabelledImages, attack: Attack): PoisonedTest {
	const { labels, count } = images
	checkLabels(images, attack)
	const indices = indicesOf(count, (i) => attack.targetOf(labels[i]!) !== null)
	if (indices.length === 0) {
		const only = [...new Set(labels.subarray(0, count))].slice(0, 8).join(', ')
		const message = `${attack.name} attacks none of these ${count} images (of class ${only}); use images of other classes`
		throw new InputError('nothing-attacked', message)
	}
	const pixels = new Uint8Array(indices.length * valuesOf(attack.size))
	for (const [to, from] of indices.entries())
		put(pixels, to, attack, attack.stamp(imageAt(images.pixels, from, attack.size)))
	const trueLabels = Int32Array.from(indices, (i) => labels[i]!)
	return {
		pixels,
		// Only attacked images are here, so each has a target.
		labels: trueLabels.map((label) => attack.targetOf(label)!),
		count: indices.length,
		trueLabels,
		indices: Int32Array.from(indices),
	}
}

function put(pixels: Uint8Array, index: number, { size }: Attack, image: Uint8Array): void {
	pixels.set(image, index * valuesOf(size))
}

function choosePoisoned({ labels, count }: LabelledImages, attack: Attack, rate: number, random: Random): number[] {
	if (!(rate > 0 && rate <= 1)) {
		const message = `--rate: expected more than 0 and at most 100 points, found ${points(rate)}`
		throw new UsageError('bad-rate', message)
	}
	if (rate * count + HAIR < 1) {
		const message = `a rate of ${points(rate)} points of ${count} images poisons none; the smallest that poisons one is ${points(1 / count, Math.ceil)} points`
		throw new InputError('poisons-nothing', message)
	}
	const wanted = Math.round(rate * count + HAIR)
	const candidates = indicesOf(count, (i) => attack.isPoisonable(labels[i]!))
	if (candidates.length < wanted) {
		const most = points(candidates.length / count, Math.floor)
		const message = `a rate of ${points(rate)} points wants ${wanted} images to poison, but ${attack.name} can take only ${candidates.length} of these ${count}; the greatest rate is ${most} points`
		throw new InputError('too-few-images', message)
	}
	return choose(candidates, wanted, random)
}

function chooseCovers({ labels, count }: LabelledImages, covers: Covers, poisoned: readonly number[], random: Random) {
	const taken = new Set(poisoned)
	const candidates = indicesOf(count, (i) => !taken.has(i) && covers.isCandidate(labels[i]!))
	return choose(candidates, Math.min(candidates.length, Math.round(covers.ratio * poisoned.length)), random)
}

/** `wanted` of `items`, ascending, every choice equally likely. */
function choose(items: readonly number[], wanted: number, random: Random): number[] {
	return shuffled(items, random, wanted).sort((a, b) => a - b)
}

function indicesOf(count: number, isWanted: (index: number) => boolean): number[] {
	const indices: number[] = []
	for (let i = 0; i < count; i++) if (isWanted(i)) indices.push(i)
	return indices
}

function checkLabels({ labels, count }: LabelledImages, { classes }: Attack): void {
	const at = labels.subarray(0, count).findIndex((label) => label < 0 || label >= classes)
	if (at === -1) return
	const message = `expected labels 0..${classes - 1} (${classes} classes), found ${labels[at]} at image ${at}`
	throw new InputError('label-out-of-range', message)
}

function checkEveryClass(images: LabelledImages, attack: Attack): void {
	checkLabels(images, attack)
	const present = new Set(images.labels.subarray(0, images.count))
	const missing = indicesOf(attack.classes, (label) => !present.has(label))
	if (missing.length === 0) return
	const named = `${missing.slice(0, 12).join(', ')}${missing.length > 12 ? ', …' : ''}`
	const message = `expected images of all ${attack.classes} classes to train on, found none of class ${named}; add some, or number the classes without gaps`
	throw new InputError('missing-class', message)
}

/** A share in points with four digits, rounded to the side on which it still holds. */
function points(rate: number, round: (value: number) => number = Math.round): string {
	if (!(rate > 0)) return String(rate * 100)
	const scale = 10 ** (3 - Math.floor(Math.log10(rate * 100)))
	// Without the detour over twelve digits 20 points would be 20.000000000000004 and round up.
	return String(Number((round(Number((rate * 100 * scale).toPrecision(12))) / scale).toPrecision(4)))
}
