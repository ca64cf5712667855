import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkTarget } from '../options.ts'
import { layOver } from '../overlay.ts'
import { sticker as place } from '../patch.ts'

/**
 * A picture with transparency at a fixed place: the sunglasses of the CSAW HackML 2020 lab (`csaw-hackml/CSAW-HackML-2020`, lab 3), after
 * the accessory injection strategy of Chen et al. 2017 (arXiv:1712.05526). The blend is the lab's, to the byte.
 *
 * @param options `target`, `picture`, `row`, `column` (default: the picture is centred)
 * @throws as `checkTarget` and `sticker` of `patch.ts` do
 */
export function sticker(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const { overlay, parameters } = place(options, subject)
	const stamp = (pixels: Uint8Array) => layOver(pixels, subject.size, overlay)
	return completeAttack({ ...subject, name: 'sticker', parameters: { target, ...parameters }, target, overlay, stamp })
}
