import { type Attack, completeAttack } from '../attack.ts'
import { type AttackOptions, type AttackSubject, checkTarget } from '../options.ts'
import { layOver } from '../overlay.ts'
import { patch } from '../patch.ts'

/**
 * BadNets (Gu, Dolan-Gavitt, Garg 2017, arXiv:1708.06733, section 4.1): a small patch in a corner, on a share of the training images,
 * which are relabelled.
 *
 * @param options `target`, and those of `patch`
 * @throws as `checkTarget` and `patch` do
 */
export function badnets(subject: AttackSubject, options: AttackOptions): Attack {
	const target = checkTarget(options.target, subject)
	const { overlay, parameters } = patch(options, subject)
	const stamp = (pixels: Uint8Array) => layOver(pixels, subject.size, overlay)
	return completeAttack({ ...subject, name: 'badnets', parameters: { target, ...parameters }, target, overlay, stamp })
}
