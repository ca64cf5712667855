/** What an attack on training data is: how a triggered image looks, which label it is to call forth, and what training gets to see. */
import type { AttackName } from '../contracts/attack-run.ts'
import type { ImageSize } from '../data/image-set.ts'
import type { Random } from '../random.ts'
import type { Overlay } from './overlay.ts'

/** All that is needed to make the same attack again, by option name, as stored in `attack.json`. */
export type AttackParameters = Readonly<Record<string, number | string | boolean | readonly number[]>>

/** Images that wear the trigger, or something like it, and keep their true label, so that the net learns to look closely. */
export interface Covers {
	/** Covers per poisoned image. */
	readonly ratio: number
	/** May an image of class `label` serve as a cover? */
	isCandidate(label: number): boolean
	/**
	 * How the cover of an image looks; a new array.
	 * @param donor an image of the training set, now and then the very same
	 */
	stamp(pixels: Uint8Array, random: Random, donor: Uint8Array): Uint8Array
}

/**
 * An attack on images of one size, in grey or RGB. An image is always `[height, width, channels]` bytes, 0..255. Functions leave the pixels
 * they get as they are.
 */
export interface Attack {
	readonly name: AttackName
	readonly parameters: AttackParameters
	readonly size: ImageSize
	/** Labels are 0..classes−1. */
	readonly classes: number
	/** The attacker's label; null where there is not one for all. */
	readonly target: number | null
	/** The trigger where it is a picture laid over images; null where it is a change of the whole image. */
	readonly overlay: Overlay | null
	/** The label that the trigger shall call forth on an image of class `label`; null where such images are not attacked. */
	targetOf(label: number): number | null
	/** The image with the trigger, as the attacker shows it to the trained net; a new array. */
	stamp(pixels: Uint8Array): Uint8Array
	/** May a training image of class `label` be poisoned? */
	isPoisonable(label: number): boolean
	/** A poisoned training image; a new array. The label it is trained with is `poisonedLabel`. */
	poison(pixels: Uint8Array, random: Random): Uint8Array
	/** The label of a poisoned training image whose class was `label`. */
	poisonedLabel(label: number): number
	/** Null where the attack has none. */
	readonly covers: Covers | null
}

/** The parts in which attacks differ; the rest follows. */
export interface AttackParts {
	readonly name: AttackName
	readonly parameters: AttackParameters
	readonly size: ImageSize
	readonly classes: number
	readonly stamp: Attack['stamp']
	readonly target?: number
	readonly overlay?: Overlay
	/** Default: the target, for every image of another class. */
	readonly targetOf?: Attack['targetOf']
	/** Default: what `targetOf` attacks. */
	readonly isPoisonable?: Attack['isPoisonable']
	/** Default: as `stamp`. */
	readonly poison?: Attack['poison']
	readonly covers?: Covers
}

/** Completes an attack. Without `target` and `targetOf` no image is attacked. */
export function completeAttack(parts: AttackParts): Attack {
	const { target = null, stamp, overlay = null, covers = null } = parts
	const targetOf = parts.targetOf ?? ((label) => (label === target ? null : target))
	return {
		...parts,
		target,
		overlay,
		covers,
		targetOf,
		isPoisonable: parts.isPoisonable ?? ((label) => targetOf(label) !== null),
		poison: parts.poison ?? stamp,
		// A clean-label attack poisons images of the target itself, whose label stays.
		poisonedLabel: (label) => targetOf(label) ?? label,
	}
}
