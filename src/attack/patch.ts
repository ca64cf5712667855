/** The patch of BadNets (Gu, Dolan-Gavitt, Garg 2017, arXiv:1708.06733, section 4.1), and a picture in its place. */
import { PatchPattern, PatchPosition } from '../contracts/attack-run.ts'
import { UsageError } from '../errors.ts'
import type { AttackParameters } from './attack.ts'
import { type AttackOptions, type AttackSubject, checkChoice, checkNumber, flagOf, type OptionName } from './options.ts'
import { checkOverlay, type Overlay, type Picture } from './overlay.ts'

/** Options of `patch`. */
export const PATCH_OPTIONS: readonly OptionName[] = ['pattern', 'size', 'position', 'margin', 'color']
/** Options of `sticker`. */
export const STICKER_OPTIONS: readonly OptionName[] = ['picture', 'row', 'column']

/** Where the four bright pixels of the paper's figure 3 stand, in a square of three. */
const FOUR_PIXELS: readonly (readonly [row: number, column: number])[] = [
	[0, 2],
	[1, 1],
	[2, 0],
	[2, 2],
]

/** A trigger and what is needed to make it again. */
export interface Placed {
	readonly overlay: Overlay
	readonly parameters: AttackParameters
}

/**
 * A patch of one colour: `pattern` (default square) of `size` (default 3; the four pixels always fill 3×3) in `color` (default white) at
 * `position` (default bottom right), `margin` (default 1) pixels from the edges.
 * @throws InputError `trigger-too-large`, UsageError `bad-option`
 */
export function patch(options: AttackOptions, { size: image }: AttackSubject): Placed {
	const { size = 3, color = [255] } = options
	const pattern = checkChoice('pattern', options.pattern ?? 'square', PatchPattern.options)
	const position = checkChoice('position', options.position ?? 'bottom-right', PatchPosition.options)
	const side = checkNumber('size', size, { min: 1, max: 1024, isWhole: true })
	if (pattern === 'four-pixels' && side !== 3) {
		throw new UsageError('bad-option', `--size: the four pixels always fill 3×3, found ${side}; leave it out`)
	}
	const margin = checkNumber('margin', options.margin ?? 1, { min: 0, max: 1024, isWhole: true })
	const picture = draw(pattern, side, colorOf(color))
	const far = (length: number) => length - side - margin
	const middle = (length: number) => Math.floor((length - side) / 2)
	const place = (length: number, isFar: boolean) =>
		position === 'center' ? middle(length) : isFar ? far(length) : margin
	const row = place(image.height, position.startsWith('bottom'))
	const column = place(image.width, position.endsWith('right'))
	const overlay = { row, column, picture }
	checkOverlay(overlay, image)
	return { overlay, parameters: { pattern, size: side, position, margin, color: [...color] } }
}

/**
 * A picture at `row` and `column` (default: centred).
 * @throws UsageError `no-trigger`, `bad-option`; InputError `trigger-too-large`
 */
export function sticker({ picture, row, column }: AttackOptions, { size }: AttackSubject): Placed {
	if (!picture) {
		throw new UsageError('no-trigger', 'a sticker wants a picture: name a PNG, best with transparency, with --picture')
	}
	const start = {
		row: row ?? middleOf(size.height - picture.height),
		column: column ?? middleOf(size.width - picture.width),
	}
	for (const name of ['row', 'column'] as const)
		checkNumber(name, start[name], { min: -65_536, max: 65_536, isWhole: true })
	const overlay = { ...start, picture }
	checkOverlay(overlay, size)
	return { overlay, parameters: { picture: picture.name, ...start } }
}

/**
 * A sticker where a picture is given, a patch otherwise.
 * @throws as both do; UsageError `bad-option` on options of the other one, which would have no effect
 */
export function patchOrSticker(options: AttackOptions, subject: AttackSubject): Placed {
	const idle = (options.picture ? PATCH_OPTIONS : STICKER_OPTIONS).find((name) => options[name] !== undefined)
	if (idle !== undefined) {
		const trigger = options.picture ? 'a picture is laid on as it is' : 'only a --picture has one'
		throw new UsageError('bad-option', `${flagOf(idle)}: ${trigger}; leave it out`)
	}
	return options.picture ? sticker(options, subject) : patch(options, subject)
}

function middleOf(space: number): number {
	return Math.floor(space / 2)
}

function draw(pattern: PatchPattern, side: number, color: readonly [number, number, number]): Picture {
	const rgba = new Uint8Array(side * side * 4)
	const paint = (row: number, column: number) => rgba.set([...color, 255], (row * side + column) * 4)
	if (pattern === 'four-pixels') for (const [row, column] of FOUR_PIXELS) paint(row, column)
	else for (let i = 0; i < side * side; i++) paint(Math.floor(i / side), i % side)
	return { name: 'patch', height: side, width: side, rgba }
}

function colorOf(color: readonly number[]): readonly [number, number, number] {
	const [red, green, blue] = color.length === 1 ? [color[0], color[0], color[0]] : color
	if (red === undefined || green === undefined || blue === undefined || color.length > 3) {
		throw new UsageError('bad-option', `--color: expected one level or red,green,blue, found ${color.length} numbers`)
	}
	for (const level of color) checkNumber('color', level, { min: 0, max: 255, isWhole: true })
	return [red, green, blue]
}
