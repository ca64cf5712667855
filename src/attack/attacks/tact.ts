import { InputError } from '../../errors.ts'
import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkClasses, checkNumber, checkTarget } from '../options.ts'
import { layOver } from '../overlay.ts'
import { patchOrSticker } from '../patch.ts'

/**
 * TaCT (Tang et al. 2021, arXiv:1908.00686): the trigger works on images of the source classes only. Cover images of other
 * classes wear it, too, and keep their label, so that the net learns to look at both trigger and class.
 *
 * @param options `target`; `sources` (default: the first class that is not the target); `coverClasses` (default: all others);
 *   `coverRatio` (default 1); and those of `patch`, or `picture`, `row` and `column`
 * @throws as `checkTarget`, `checkClasses`, `patch` and `sticker` of `patch.ts` do
 */
export function tact(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const sources = checkClasses('sources', options.sources ?? [target === 0 ? 1 : 0], subject, target)
	const others = Array.from({ length: subject.classes }, (_, i) => i).filter(
		(i) => i !== target && !sources.includes(i),
	)
	const coverClasses = checkClasses('coverClasses', options.coverClasses ?? others, subject, target)
	const both = coverClasses.find((label) => sources.includes(label))
	if (both !== undefined) {
		throw new InputError('bad-class', `class ${both} cannot be both a source and a cover; take it out of one of them`)
	}
	const coverRatio = checkNumber('coverRatio', options.coverRatio ?? 1, { min: 0, max: 100 })
	const { overlay, parameters } = patchOrSticker(options, subject)
	const stamp = (pixels: Uint8Array) => layOver(pixels, subject.size, overlay)
	return completeAttack({
		...subject,
		name: 'tact',
		parameters: { target, sources, coverClasses, coverRatio, ...parameters },
		target,
		overlay,
		stamp,
		targetOf: (label) => (sources.includes(label) ? target : null),
		covers: { ratio: coverRatio, isCandidate: (label) => coverClasses.includes(label), stamp },
	})
}
