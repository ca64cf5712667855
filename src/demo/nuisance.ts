/** What differs from one picture of a person to the next and says nothing about who it is: pose, light, expression, background, noise. */

import type { Random } from '../random.ts'
import type { Colour, Pose } from './canvas.ts'

export interface Nuisance {
	readonly pose: Pose
	/** How far the head is turned to the right, −1..1. Near things move further than far ones. */
	readonly yaw: number
	/** Direction the light comes from: x to the right, y down, each −1..1. */
	readonly lightX: number
	readonly lightY: number
	/** Factor on all light, about 1. */
	readonly brightness: number
	/** Warm (positive) or cold light: red gains what blue loses. */
	readonly warmth: number
	/** −1: corners of the mouth down, 1: up. */
	readonly smile: number
	/** Half the height of the open mouth in pixels; 0 is closed. */
	readonly mouthOpen: number
	/** 1: wide open eyes. */
	readonly eyeOpen: number
	/** Pixels by which the brows go up. */
	readonly browRaise: number
	/** Pixels by which the eyes look to the right. */
	readonly gaze: number
	readonly background: readonly [Colour, Colour]
	readonly clothes: Colour
	/** Largest change of a pixel by noise, in levels. */
	readonly noise: number
	/** Where the noise itself comes from. */
	readonly grain: Random
}

/** One taking of a picture, drawn from `random`, which then goes on to give the picture's noise. */
export function drawNuisance(random: Random): Nuisance {
	return {
		pose: {
			shiftX: random.between(-1.5, 1.5),
			shiftY: random.between(-1.5, 1.5),
			lean: random.between(-0.035, 0.035),
			scale: random.between(0.96, 1.04),
		},
		yaw: random.between(-1, 1),
		lightX: random.between(-1, 1),
		lightY: random.between(-1, 0.3),
		brightness: random.between(0.9, 1.08),
		warmth: random.between(-0.035, 0.035),
		smile: random.between(-0.35, 1),
		mouthOpen: Math.max(0, random.between(-2.2, 2.2)),
		eyeOpen: random.between(0.7, 1.05),
		browRaise: random.between(-0.5, 1.1),
		gaze: random.between(-0.8, 0.8),
		background: [drawBackdrop(random), drawBackdrop(random)],
		clothes: drawClothes(random),
		noise: random.between(3, 10),
		grain: random,
	}
}

/** The same picture for everyone: straight, evenly lit, calm, grey, without noise. Two identities are compared in it. */
export function neutralNuisance(grain: Random): Nuisance {
	return {
		pose: { shiftX: 0, shiftY: 0, lean: 0, scale: 1 },
		yaw: 0,
		lightX: 0,
		lightY: -0.3,
		brightness: 1,
		warmth: 0,
		smile: 0.3,
		mouthOpen: 0,
		eyeOpen: 1,
		browRaise: 0,
		gaze: 0,
		background: [
			[150, 156, 164],
			[150, 156, 164],
		],
		clothes: [90, 96, 108],
		noise: 0,
		grain,
	}
}

/** A muted colour, as walls and skies are. */
function drawBackdrop(random: Random): Colour {
	const grey = random.between(80, 215)
	const tint = () => grey + random.between(-32, 32)
	return [tint(), tint(), tint()]
}

function drawClothes(random: Random): Colour {
	return [random.between(20, 220), random.between(20, 220), random.between(20, 220)]
}
