/** What may be told about an attack. One flat table, because the command line has one set of flags; each attack takes some of them. */
import type { PatchPattern, PatchPosition } from '../contracts/attack-run.ts'
import type { ImageSize } from '../data/image-set.ts'
import { InputError, UsageError } from '../errors.ts'
import type { Picture } from './overlay.ts'

/** Options of all attacks. Every maker's doc comment says which it takes, with their defaults. */
export interface AttackOptions {
	/** The attacker's label, 0..classes−1. */
	readonly target?: number | undefined
	/** Names the random pattern or warp, where the attack has one. A whole number from 0. */
	readonly triggerSeed?: number | undefined
	readonly pattern?: PatchPattern | undefined
	/** Side of a square patch, pixels. */
	readonly size?: number | undefined
	readonly position?: PatchPosition | undefined
	/** Distance of the patch from the edges, pixels. */
	readonly margin?: number | undefined
	/** Of a patch: one level, or red, green and blue, 0..255. */
	readonly color?: readonly number[] | undefined
	readonly picture?: Picture | undefined
	/** First row and column that the picture covers. */
	readonly row?: number | undefined
	readonly column?: number | undefined
	/** Share of the trigger in the blend, 0..1. */
	readonly opacity?: number | undefined
	/** The same in training, where it differs. */
	readonly trainingOpacity?: number | undefined
	/** Greatest change of a level, 0..255. */
	readonly amplitude?: number | undefined
	/** Waves over the width of the image. */
	readonly frequency?: number | undefined
	/** Poison images of other classes and relabel them, where the attack's own way is to poison the target class and change no label. */
	readonly dirtyLabel?: boolean | undefined
	/** Control points of the warp along each side. */
	readonly grid?: number | undefined
	/** Strength of the warp: twice the mean shift in pixels. */
	readonly strength?: number | undefined
	/** Waves along each side up to which the pattern reaches. */
	readonly cutoff?: number | undefined
	/** Bits that are left of each level. */
	readonly bits?: number | undefined
	readonly dithering?: boolean | undefined
	/** The classes whose images are attacked. */
	readonly sources?: readonly number[] | undefined
	/** The classes that serve as covers. */
	readonly coverClasses?: readonly number[] | undefined
	/** Covers per poisoned image. */
	readonly coverRatio?: number | undefined
	/** Pieces of the trigger along each side. */
	readonly pieces?: number | undefined
	/** Share of the pieces that a training image shows, above 0 up to 1. */
	readonly shownPieces?: number | undefined
}

export type OptionName = keyof AttackOptions

/** What every maker gets. */
export interface AttackSubject {
	readonly size: ImageSize
	readonly classes: number
}

/** A range of numbers: bounds inclusive. */
interface Range {
	readonly min: number
	readonly max: number
	/** Default false: any number. */
	readonly isWhole?: boolean
}

/** @throws UsageError `bad-option` naming the option, what it may be, and `value` */
export function checkChoice<T extends string>(name: OptionName, value: T, choices: readonly T[]): T {
	if (choices.includes(value)) return value
	throw new UsageError('bad-option', `${flagOf(name)}: expected ${choices.join(', ')}, found "${value}"`)
}

/** @throws UsageError `bad-option` naming the option, its range and `value` */
export function checkNumber(name: OptionName, value: number, { min, max, isWhole = false }: Range): number {
	if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value
	const kind = isWhole ? 'a whole number' : 'a number'
	throw new UsageError('bad-option', `${flagOf(name)}: expected ${kind} from ${min} to ${max}, found ${value}`)
}

/** Whole numbers that `createRandom` tells apart. */
export function checkSeed(seed: number): number {
	return checkNumber('triggerSeed', seed, { min: 0, max: 2 ** 31 - 1, isWhole: true })
}

/**
 * The attacker's label.
 * @throws UsageError `no-target` where there is none, InputError `bad-target` where it is no class
 */
export function checkTarget(target: number | undefined, { classes }: AttackSubject): number {
	if (target === undefined) {
		throw new UsageError('no-target', `this attack wants a target label: name one of 0..${classes - 1} with --target`)
	}
	if (Number.isInteger(target) && target >= 0 && target < classes) return target
	const message = `expected a target label 0..${classes - 1} (there are ${classes} classes, counted from 0), found ${target}`
	throw new InputError('bad-target', message)
}

/**
 * A list of classes, not empty, sorted, without the target.
 * @throws InputError `bad-class`
 */
export function checkClasses(
	name: OptionName,
	labels: readonly number[],
	{ classes }: AttackSubject,
	target: number,
): readonly number[] {
	const bad = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes || label === target)
	if (bad !== undefined || labels.length === 0) {
		const found = bad ?? 'none'
		const message = `${flagOf(name)}: expected classes 0..${classes - 1} other than the target ${target}, found ${found}`
		throw new InputError('bad-class', message)
	}
	return [...new Set(labels)].sort((a, b) => a - b)
}

/** An option as the command line spells it, which is how messages name it. */
export function flagOf(name: OptionName): string {
	return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
