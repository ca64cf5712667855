import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkNumber, checkTarget } from '../options.ts'
import { ditherFloydSteinberg, quantise } from '../quantise.ts'

/**
 * BppAttack (Wang, Zhai, Ma 2022, arXiv:2205.13383): the colour depth squeezed to `bits` a channel, with Floyd–Steinberg
 * dithering. Its contrastive training also shows negatives, which keep their label: images to which the quantisation error of *another*
 * image was added, so that the net learns the quantisation and not just noise. The paper trains by contrast on the fly; here the
 * negatives are covers in the training set.
 *
 * @param options `target`; `bits` (default 3, as in the authors' code: `squeeze_num` 8); `dithering` (default true, as in the paper;
 *   the authors' code has it off unless asked for); `coverRatio` (default 1)
 * @throws as `checkTarget` does; UsageError `bad-option`
 */
export function bpp(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const bits = checkNumber('bits', options.bits ?? 3, { min: 1, max: 7, isWhole: true })
	const coverRatio = checkNumber('coverRatio', options.coverRatio ?? 1, { min: 0, max: 100 })
	const { dithering = true } = options
	const squeeze = (pixels: Uint8Array) =>
		dithering ? ditherFloydSteinberg(pixels, subject.size, bits) : quantise(pixels, bits)
	return completeAttack({
		...subject,
		name: 'bpp',
		parameters: { target, bits, dithering, coverRatio },
		target,
		stamp: squeeze,
		covers: {
			ratio: coverRatio,
			isCandidate: () => true,
			stamp(pixels, _, donor) {
				const squeezed = squeeze(donor)
				return pixels.map((level, i) => Math.min(255, Math.max(0, level + squeezed[i]! - donor[i]!)))
			},
		},
	})
}
