/** Training as one watches it: a bar with loss and accuracy, or a line an epoch where there is no terminal. */
import type { TrainProgress } from '../train/options.ts'
import type { Io } from './command.ts'
import { type Progress, showSeconds } from './progress.ts'

/** Told after every step of a stage of training. */
export type OnTraining = (stage: string, progress: TrainProgress) => void

export interface TrainingWatch {
	readonly onTraining: OnTraining
	/**
	 * Images a second over all stages, as far as this process trained them: a resumed run's earlier steps do not count, nor does the first step of a
	 * stage, before which the engine gets ready. 0 where there was no other.
	 */
	imagesPerSecond(): number
}

export function trainingProgress(io: Io, progress: Progress): TrainingWatch {
	let stage = ''
	let first = { done: 0, at: 0 }
	let last = first
	let images = 0
	let ms = 0
	const onTraining: OnTraining = (name, { done, total, epoch, epochs, loss, accuracy, isEpochDone }) => {
		const here = { done, at: io.now() }
		if (name !== stage) first = here
		else {
			images += done - last.done
			ms += here.at - last.at
		}
		stage = name
		last = here
		const note = `loss ${loss.toFixed(3)}, accuracy ${(accuracy * 100).toFixed(1)} %`
		// First, so that the last epoch's line does not come behind the stage's.
		if (isEpochDone) progress.say(`train ${name}: epoch ${epoch}/${epochs}, ${note}${pace(first, here, total)}`)
		progress.update(`train ${name}`, done, total, 'images', `epoch ${epoch}/${epochs}, ${note}`)
	}
	return { onTraining, imagesPerSecond: () => (ms > 0 ? Math.round((images * 1000) / ms) : 0) }
}

/** Images done by a time in ms. */
interface Mark {
	readonly done: number
	readonly at: number
}

/** Images a second since the stage was first heard of, and what that leaves to wait; nothing yet at its first step. */
function pace(first: Mark, { done, at }: Mark, total: number): string {
	if (done === first.done) return ''
	const rate = (done - first.done) / Math.max((at - first.at) / 1000, 1e-3)
	const left = done < total ? `, ${showSeconds((total - done) / rate)} left` : ''
	return `, ${Math.round(rate)} images/s${left}`
}
