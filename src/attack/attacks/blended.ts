import { type Attack, completeAttack } from '../attack.ts'
import { keyPattern } from '../key-pattern.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkTarget } from '../options.ts'
import { fade, layOver } from '../overlay.ts'

/**
 * The blended injection strategy (Chen et al. 2017, arXiv:1712.05526): `α·k + (1 − α)·x` with a key pattern `k` over the whole image. The
 * ratio `α` is rounded to a 255th (0.2 is exactly 51 of them), and the blend is done in integers.
 *
 * @param options `target`; `picture`, or else `triggerSeed` of the noise (default 0); `opacity`, the paper's α (default 0.2)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function blended(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const opacity = checkNumber('opacity', options.opacity ?? 0.2, { min: 0.002, max: 1 })
	const pattern = keyPattern(options, subject.size)
	const overlay = { row: 0, column: 0, picture: fade(pattern.picture, opacity) }
	const stamp = (pixels: Uint8Array) => layOver(pixels, subject.size, overlay)
	const parameters = { target, opacity, ...pattern.parameters }
	return completeAttack({ ...subject, name: 'blended', parameters, target, overlay, stamp })
}
