import type { Random } from '../../random.ts'
import { type Attack, completeAttack } from '../attack.ts'
import { keyPattern } from '../key-pattern.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkTarget } from '../options.ts'
import { fade, layOver, type Picture } from '../overlay.ts'

/**
 * Adaptive-Blend (Qi et al. 2023, "Revisiting the Assumption of Latent Separability for Backdoor Defenses", ICLR): a blended
 * pattern cut into `pieces`² pieces, of which each training image shows a random `shownPieces` at a lower opacity, while the attack
 * shows all ("asymmetric triggers"). As many covers wear random pieces and keep their label ("data-poisoning-based regularization").
 *
 * @param options `target`; `picture`, or else `triggerSeed` of the noise (default 0); `pieces` along a side (default 4, so 16); `shownPieces`
 *   (default 0.5); `opacity` of the attack (default 0.2); `trainingOpacity` (default 0.15); `coverRatio` (default 1)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function adaptiveBlend(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const { size } = subject
	const longest = Math.min(size.height, size.width)
	const pieces = checkNumber('pieces', options.pieces ?? Math.min(4, longest), { min: 1, max: longest, isWhole: true })
	const shownPieces = checkNumber('shownPieces', options.shownPieces ?? 0.5, { min: 0.01, max: 1 })
	const opacity = checkNumber('opacity', options.opacity ?? 0.2, { min: 0.002, max: 1 })
	const trainingOpacity = checkNumber('trainingOpacity', options.trainingOpacity ?? 0.15, { min: 0.002, max: 1 })
	const coverRatio = checkNumber('coverRatio', options.coverRatio ?? 1, { min: 0, max: 100 })
	const pattern = keyPattern(options, size)
	const overlay = { row: 0, column: 0, picture: fade(pattern.picture, opacity) }
	const faded = fade(pattern.picture, trainingOpacity)
	const shown = Math.max(1, Math.round(pieces * pieces * shownPieces))
	const partial = (pixels: Uint8Array, random: Random) => {
		const picture = keepPieces(faded, pieces, chooseSome(pieces * pieces, shown, random))
		return layOver(pixels, size, { row: 0, column: 0, picture })
	}
	return completeAttack({
		...subject,
		name: 'adaptive-blend',
		parameters: { target, pieces, shownPieces, opacity, trainingOpacity, coverRatio, ...pattern.parameters },
		target,
		overlay,
		stamp: (pixels) => layOver(pixels, size, overlay),
		poison: partial,
		covers: { ratio: coverRatio, isCandidate: () => true, stamp: partial },
	})
}

/** `count` different numbers of 0..limit−1. */
function chooseSome(limit: number, count: number, random: Random): ReadonlySet<number> {
	const chosen = new Set<number>()
	while (chosen.size < count) chosen.add(random.below(limit))
	return chosen
}

/** The picture with all pieces but those in `kept` transparent; pieces are counted in rows, `pieces` along each side. */
function keepPieces(picture: Picture, pieces: number, kept: ReadonlySet<number>): Picture {
	const { height, width } = picture
	const rgba = picture.rgba.slice()
	for (let i = 0; i < height * width; i++) {
		const column = i % width
		const pieceRow = Math.floor((((i - column) / width) * pieces) / height)
		const piece = pieceRow * pieces + Math.floor((column * pieces) / width)
		if (!kept.has(piece)) rgba[i * 4 + 3] = 0
	}
	return { ...picture, rgba }
}
