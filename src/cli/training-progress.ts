/** Training as one watches it: a bar with loss and accuracy, or a line an epoch where there is no terminal. */
import type { TrainProgress } from '../train/train.ts'
import type { Io } from './command.ts'
import { type Progress, showSeconds } from './progress.ts'

/** Told after every step of a stage of training. */
export type OnTraining = (stage: string, progress: TrainProgress) => void

export function trainingProgress(io: Io, progress: Progress): OnTraining {
	let stage = ''
	let first = { done: 0, at: 0 }
	return (name, { done, total, epoch, epochs, loss, accuracy, isEpochDone }) => {
		if (name !== stage) first = { done, at: io.now() }
		stage = name
		const note = `loss ${loss.toFixed(3)}, accuracy ${(accuracy * 100).toFixed(1)} %`
		// First, so that the last epoch's line does not come behind the stage's.
		if (isEpochDone) {
			progress.say(`train ${name}: epoch ${epoch}/${epochs}, ${note}${pace(done, total, first, io.now())}`)
		}
		progress.update(`train ${name}`, done, total, 'images', `epoch ${epoch}/${epochs}, ${note}`)
	}
}

/** Images a second since the stage was first heard of, and what that leaves to wait; nothing yet at its first step. */
function pace(done: number, total: number, first: { readonly done: number; readonly at: number }, now: number): string {
	if (done === first.done) return ''
	const rate = (done - first.done) / Math.max((now - first.at) / 1000, 1e-3)
	const left = done < total ? `, ${showSeconds((total - done) / rate)} left` : ''
	return `, ${Math.round(rate)} images/s${left}`
}
