/** From flags to an attack: what every command of the attack lab does first. */
import type { Attack } from '../attack/attack.ts'
import { makeAttack, OPTION_NAMES } from '../attack/make-attack.ts'
import type { AttackOptions } from '../attack/options.ts'
import type { Picture } from '../attack/overlay.ts'
import type { AttackRecord } from '../contracts/attack-run.ts'
import { decodeRgba } from '../data/decode.ts'
import type { ImageSet, ImageSize } from '../data/image-set.ts'
import { sunglasses } from '../demo/sunglasses.ts'
import { InputError } from '../errors.ts'
import { readFileWhole, sha256Of } from '../files.ts'
import { copyOfLists } from '../json.ts'
import type { Flag } from './command.ts'

/** Larger pictures are no triggers. */
const MAX_PICTURE_BYTES = 2 ** 26

/** What a trigger looks like. Each attack takes some of these and refuses the others. */
export const TRIGGER_FLAGS: readonly Flag[] = [
	['--target <label>', 'the attacker\u2019s label, counted from 0'],
	[
		'--picture <file>',
		'sticker, or pattern to blend in: a picture, with transparency or without (demo:sunglasses is the demo\u2019s)',
	],
	['--row <n>', 'first row that the sticker covers (default: centred)'],
	['--column <n>', 'first column that it covers (default: centred)'],
	['--pattern <name>', 'patch: square or four-pixels (default: square)'],
	['--size <n>', 'patch: side in pixels (default: 3)'],
	['--position <place>', 'patch: top-left, top-right, bottom-left, bottom-right or center (default: bottom-right)'],
	['--margin <n>', 'patch: pixels to the edges (default: 1)'],
	['--color <list>', 'patch: one level or red,green,blue, 0..255 (default: 255)'],
	['--opacity <share>', 'blended, adaptive-blend: share of the pattern in the mix (default: 0.2)'],
	['--pieces <n>', 'adaptive-blend: pieces along each side (default: 4)'],
	['--amplitude <levels>', 'sig, low-frequency: greatest change of a level (default: 20)'],
	['--frequency <n>', 'sig: waves over the width (default: 6)'],
	['--cutoff <n>', 'low-frequency: waves along each side up to which the pattern reaches (default: 4)'],
	['--grid <n>', 'wanet: control points along each side (default: 4)'],
	['--strength <n>', 'wanet: twice the mean shift in pixels (default: 0.5)'],
	['--bits <n>', 'bpp: bits left of each level (default: 3)'],
	['--dithering', 'bpp: with Floyd\u2013Steinberg dithering (default)'],
	['--no-dithering', 'bpp: without'],
	['--sources <list>', 'tact: classes that are attacked (default: the first that is not the target)'],
	['--trigger-seed <n>', 'blended, wanet, low-frequency, adaptive-blend: names the random pattern (default: 0)'],
]

/** An attack as the user described it, with its record. */
export interface DescribedAttack {
	readonly attack: Attack
	readonly record: AttackRecord
}

/** What a command was told of the attack: its options, with a path in place of a picture. Others may stand beside them. */
export interface ToldAttack extends Omit<AttackOptions, 'picture'> {
	readonly picture?: string | undefined
}

/**
 * The attack `name` with what `options` say of it.
 * @throws as `makeAttack` does, and `readFileWhole` and `decodeRgba` for the picture
 */
export async function attackFor(
	name: string,
	{ height, width, channels }: ImageSize,
	classes: number,
	options: ToldAttack,
): Promise<DescribedAttack> {
	const opened = options.picture === undefined ? null : await openPicture(options.picture)
	// Only what was told: a maker fills in its own defaults.
	const told = Object.entries(options).filter(([option, value]) => OPTION_NAMES.has(option) && value !== undefined)
	const own = { ...Object.fromEntries(told), ...(opened && { picture: opened.picture }) }
	const attack = makeAttack(name, { height, width, channels }, classes, own)
	const { parameters, target } = attack
	const record = { name: attack.name, parameters: copyOfLists(parameters), target, picture: opened?.file ?? null }
	return { attack, record }
}

/** Classes of a set: as told, as its source names them, or as its labels show. */
export function classesOf({ labels, classNames, path }: ImageSet, told: number | undefined): number {
	if (told !== undefined) return told
	if (classNames) return classNames.length
	if (!labels) throw new InputError('no-labels', `${path}: expected labelled images, found no labels`, { path })
	return labels.reduce((most, label) => Math.max(most, label), 0) + 1
}

async function openPicture(path: string): Promise<{ picture: Picture; file: { path: string; sha256: string } }> {
	if (path === sunglasses.name) return { picture: sunglasses, file: { path, sha256: sha256Of(sunglasses.rgba) } }
	const bytes = await readFileWhole(path, MAX_PICTURE_BYTES)
	const { width, height, rgba } = await decodeRgba(bytes, path)
	return { picture: { name: path, width, height, rgba }, file: { path, sha256: sha256Of(bytes) } }
}
