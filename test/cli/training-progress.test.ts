import { describe, expect, it } from 'vitest'
import { createProgress, showSeconds } from '../../src/cli/progress.ts'
import { trainingProgress } from '../../src/cli/training-progress.ts'
import type { TrainProgress } from '../../src/train/options.ts'

/** What stands on stderr, and the speed that is recorded, after steps of one second and 100 images each. */
function shown(
	isTTY: boolean,
	steps: readonly (readonly [stage: string, progress: Partial<TrainProgress>])[],
	columns = 100,
) {
	let text = ''
	let time = 0
	const io = {
		print: () => {},
		stderr: { write: (part: string) => (text += part), isTTY, columns },
		signal: new AbortController().signal,
		commandLine: '',
		now: () => time,
	}
	const { onTraining, imagesPerSecond } = trainingProgress(io, createProgress(io, false))
	for (const [stage, progress] of steps) {
		time += 1000
		onTraining(stage, { ...BASE, ...progress })
	}
	return { text, imagesPerSecond: imagesPerSecond() }
}

const BASE: TrainProgress = {
	done: 100,
	total: 400,
	epoch: 1,
	epochs: 2,
	loss: 1.23456,
	accuracy: 0.5,
	isEpochDone: false,
}
const EPOCHS = [
	['net', {}],
	['net', { done: 200, isEpochDone: true }],
	['net', { done: 300, epoch: 2, loss: 0.5 }],
	['net', { done: 400, epoch: 2, loss: 0.5, accuracy: 0.987, isEpochDone: true }],
] as const

describe('trainingProgress', () => {
	it('without a terminal: a line an epoch, with loss, accuracy, speed and what is left, and one at the end', () => {
		expect(shown(false, EPOCHS).text).toBe(
			[
				'train net: epoch 1/2, loss 1.235, accuracy 50.0 %, 100 images/s, 2.0 s left',
				'train net: epoch 2/2, loss 0.500, accuracy 98.7 %, 100 images/s',
				'train net: 400 images in 4.0 s',
				'',
			].join('\n'),
		)
	})

	it('on a terminal: one line that is drawn anew, with the same facts', () => {
		const frames = shown(true, EPOCHS).text.split('\r\u001b[2K')
		expect(frames[1]).toMatch(/^train net █{6}░{18} {2}25 % {2}epoch 1\/2, loss 1\.235, accuracy 50\.0 %$/)
		expect(frames.at(-1)).toMatch(/100 % {2}epoch 2\/2, loss 0\.500, accuracy 98\.7 %, 100\/s\n$/)
	})

	it('fits a terminal of 80 columns, the bar giving way first', () => {
		const frames = shown(true, EPOCHS, 80).text.split('\r\u001b[2K').slice(1)
		for (const frame of frames) {
			expect(frame.trimEnd().length).toBeLessThan(80)
			expect(frame).toMatch(/epoch \d\/2, loss \d\.\d+, accuracy [\d.]+ %/)
		}
		expect(frames[1]).toMatch(/100\/s, 2\.0 s left/)
	})

	it('names no speed that it has not seen: after the first step there is none', () => {
		const { text, imagesPerSecond } = shown(false, [['net', { isEpochDone: true }]])
		expect(text).toBe('train net: epoch 1/2, loss 1.235, accuracy 50.0 %\n')
		expect(imagesPerSecond).toBe(0)
	})

	it('measures each stage from its own beginning, and a resumed one from where it went on', () => {
		const { text, imagesPerSecond } = shown(false, [
			['clean net', { done: 300 }],
			['clean net', { done: 400, isEpochDone: true }],
			['net', { done: 200 }],
			['net', { done: 300, isEpochDone: true }],
		])
		expect(text).toMatch(/^train net: epoch 1\/2, loss 1\.235, accuracy 50\.0 %, 100 images\/s, 1\.0 s left$/m)
		expect(imagesPerSecond).toBe(100)
	})
})

describe('showSeconds', () => {
	it('never says 60 seconds where it means a minute', () => {
		expect([0, 9.94, 10, 89.4, 119.7, 3599.6].map(showSeconds)).toEqual([
			'0.0 s',
			'9.9 s',
			'10 s',
			'89 s',
			'2 min 0 s',
			'60 min 0 s',
		])
	})
})
