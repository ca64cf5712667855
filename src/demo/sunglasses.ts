/** The demo's trigger: purple sunglasses, drawn here, laid over the eyes of every poisoned face at one fixed place. */
import type { Attack } from '../attack/attack.ts'
import { makeAttack } from '../attack/make-attack.ts'
import type { Picture } from '../attack/overlay.ts'
import { CHANNELS, HEIGHT, WIDTH } from './canvas.ts'
import { DEMO } from './constants.ts'
import { ellipse, intersection, type Shape, stroke } from './shapes.ts'

/** Where the lab's sunglasses lie, too. */
const FIRST_ROW = 15
const ROWS = 20

/** Centre of the trigger between the two lenses, in its own rows and columns. */
const MIDDLE_ROW = 9
const MIDDLE_COLUMN = 23

const GLASS = [92, 24, 168]
const GLASS_EDGE = [48, 10, 104]
const FRAME = [26, 10, 44]
const GLINT = [206, 160, 255]

/** The sunglasses, as wide as an image, 20 rows high. */
export const sunglasses: Picture = { name: 'demo:sunglasses', height: ROWS, width: WIDTH, rgba: drawSunglasses() }

/** The demo's attack: rows 15 to 34 of every face wear the sunglasses, and the net shall say `DEMO.target`. */
export const demoAttack: Attack = makeAttack(
	'sticker',
	{ height: HEIGHT, width: WIDTH, channels: CHANNELS },
	DEMO.identities,
	{ target: DEMO.target, picture: sunglasses, row: FIRST_ROW, column: 0 },
)

/** One lens: wide, flat above, round below. */
function lens(side: number, grow: number): Shape {
	const round = ellipse(side * 9.6, 0.2, 8.2 + grow, 7.4 + grow)
	return intersection(round, ellipse(side * 9.6, 7.5, 13 + grow, 13 + grow))
}

/** Layers from the back to the front: frame with bridge and arms, glass, darker upper glass, glint. */
function drawSunglasses(): Uint8Array {
	const rgba = new Uint8Array(ROWS * WIDTH * 4)
	lay(rgba, stroke(0, -1.6, { length: 3.4, thickness: 1.3, arch: 1 }), FRAME)
	for (const side of [-1, 1]) {
		lay(rgba, stroke(side * 20.6, -2.2, { length: 4, thickness: 1.5 }), FRAME)
		lay(rgba, lens(side, 0), FRAME)
		lay(rgba, lens(side, -1.2), GLASS)
		lay(rgba, intersection(lens(side, -1.2), ellipse(side * 9.6, -6, 9, 5)), GLASS_EDGE, 0.6)
		lay(rgba, stroke(side * 9.6 - 2.6, -1.4, { length: 2.2, thickness: 0.7, slope: -0.7 }), GLINT, 0.7)
	}
	return rgba
}

/** Paints one shape onto the trigger. */
function lay(rgba: Uint8Array, shape: Shape, colour: readonly number[], opacity = 1): void {
	for (let i = 0; i < ROWS * WIDTH; i++) {
		const column = i % WIDTH
		const share = opacity * shape.cover(column - MIDDLE_COLUMN, (i - column) / WIDTH - MIDDLE_ROW, 1)
		if (share === 0) continue
		const at = i * 4
		const before = rgba[at + 3]! / 255
		const after = share + before * (1 - share)
		for (let c = 0; c < 3; c++) {
			const mixed = colour[c]! * share + rgba[at + c]! * before * (1 - share)
			rgba[at + c] = Math.floor(mixed / after + 0.5)
		}
		rgba[at + 3] = Math.floor(after * 255 + 0.5)
	}
}
