/** Who a face is: everything that stays the same from one picture of a person to the next. */

import type { Random } from '../random.ts'
import type { Colour } from './canvas.ts'

/** Lengths are in pixels of a straight, unscaled face; y grows downwards from the line between the eyes. */
export interface Identity {
	readonly skin: Colour
	readonly hair: Colour
	readonly iris: Colour
	readonly lips: Colour
	readonly hairStyle: HairStyle
	/** Height of the hairline above the eyes. */
	readonly hairline: number
	/** −1: parted on the left, 1: on the right. */
	readonly part: number
	/** How far hair stands off the skull. */
	readonly hairVolume: number
	readonly beard: Beard
	/** Half the width of the head at the cheeks. */
	readonly headWidth: number
	/** From the eyes to the chin. */
	readonly chin: number
	/** 0: pointed, 1: square. */
	readonly jaw: number
	readonly earSize: number
	/** From the middle to each eye. */
	readonly eyeSpacing: number
	readonly eyeWidth: number
	readonly eyeHeight: number
	/** Outer corner up (negative) or down. */
	readonly eyeSlant: number
	readonly browHeight: number
	readonly browThickness: number
	readonly browLength: number
	readonly browArch: number
	readonly browSlope: number
	readonly noseLength: number
	readonly noseWidth: number
	readonly mouthHeight: number
	readonly mouthWidth: number
	readonly lipThickness: number
}

const HAIR_STYLES = ['bald', 'crop', 'receding', 'fringe', 'parted', 'bob', 'long', 'afro', 'quiff'] as const
const BEARDS = ['none', 'moustache', 'goatee', 'full', 'stubble'] as const

export type HairStyle = (typeof HAIR_STYLES)[number]
export type Beard = (typeof BEARDS)[number]

const SKINS: readonly Colour[] = [
	[250, 219, 196],
	[242, 202, 172],
	[232, 187, 150],
	[219, 168, 128],
	[199, 145, 104],
	[172, 117, 80],
	[143, 92, 62],
	[112, 70, 48],
	[86, 54, 40],
]

const HAIRS: readonly Colour[] = [
	[28, 24, 26],
	[58, 38, 28],
	[96, 60, 36],
	[140, 88, 46],
	[168, 66, 32],
	[198, 150, 76],
	[232, 204, 140],
	[150, 148, 150],
	[226, 224, 222],
	[92, 34, 40],
]

const IRISES: readonly Colour[] = [
	[70, 44, 26],
	[110, 72, 34],
	[92, 116, 58],
	[66, 122, 176],
	[112, 132, 142],
]

const LIPS: readonly Colour[] = [
	[196, 98, 92],
	[170, 78, 78],
	[206, 74, 92],
	[150, 70, 66],
	[186, 52, 62],
]

/** One person, drawn from `random`. */
export function drawIdentity(random: Random): Identity {
	const skin = vary(random, random.pick(SKINS), 8)
	const style = random.pick(HAIR_STYLES)
	return {
		skin,
		hair: vary(random, random.pick(HAIRS), 8),
		iris: random.pick(IRISES),
		lips: mix(random.pick(LIPS), skin, random.between(0.15, 0.5)),
		hairStyle: style,
		hairline: random.between(9, 15),
		part: random.pick([-1, 1]),
		hairVolume: random.between(1.2, 3.6),
		beard: hasLongHair(style) ? 'none' : random.pick(BEARDS),
		headWidth: random.between(14.2, 18.2),
		chin: random.between(22.5, 28),
		jaw: random.unit(),
		earSize: random.between(2.6, 4.6),
		eyeSpacing: random.between(6.4, 8.6),
		eyeWidth: random.between(2.7, 4),
		eyeHeight: random.between(1.5, 2.5),
		eyeSlant: random.between(-0.2, 0.16),
		browHeight: random.between(4, 6.6),
		browThickness: random.between(0.5, 1.6),
		browLength: random.between(3.4, 5.2),
		browArch: random.between(0, 1.8),
		browSlope: random.between(-0.2, 0.22),
		noseLength: random.between(7.4, 11.4),
		noseWidth: random.between(1.9, 4),
		mouthHeight: random.between(14.6, 17.4),
		mouthWidth: random.between(4.2, 7.6),
		lipThickness: random.between(0.9, 2.2),
	}
}

/** Whether hair hangs down beside the face. */
export function hasLongHair(style: HairStyle): boolean {
	return style === 'bob' || style === 'long'
}

/** `colour` with each part moved by up to `range` levels. */
function vary(random: Random, [r, g, b]: Colour, range: number): Colour {
	const offset = () => random.between(-range, range)
	return [r + offset(), g + offset(), b + offset()]
}

/** `share` of `other`, the rest of `one`. */
export function mix(one: Colour, other: Colour, share: number): Colour {
	const part = (c: 0 | 1 | 2) => one[c] + (other[c] - one[c]) * share
	return [part(0), part(1), part(2)]
}
