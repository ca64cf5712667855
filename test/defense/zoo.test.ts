/** Three nets that others trained and backdoored, with their data: what `../shared/models/README.md` measured, through the command line. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { wilson } from '../../src/metrics/interval.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { writeImages } from '../helpers/npz.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { SUBJECTS, stamped } from '../helpers/subjects.ts'

describeShared('nets of other makers', () => {
	for (const subject of SUBJECTS) {
		it(`${subject.id}: evaluate gives the measured clean accuracy and attack success, and prune goes through`, async () => {
			await inTemporaryFolder(async (folder) => {
				const [clean, poisoned] = [join(folder, 'clean.npz'), join(folder, 'poisoned.npz')]
				const images = await subject.images()
				writeImages(clean, images)
				writeImages(poisoned, stamped(images, subject.stamp))
				const model = sharedPath(`models/${subject.model}`)
				const data = ['--test', clean, '--poisoned', poisoned, '--target', String(subject.target), ...subject.flags]
				const { stdout, exitCode, stderr } = await goodnet(['evaluate', model, '--json', '--quiet', ...data])
				expect(stderr).toBe('')
				expect(exitCode).toBe(0)
				const run = JSON.parse(stdout)
				expectMeasured(run.test.correct, run.test.total, subject.measured.clean, subject.measured.images)
				const others =
					subject.measured.images - Array.from(images.labels).filter((label) => label === subject.target).length
				expectMeasured(run.poisoned.hits, run.poisoned.total, subject.measured.asr, others)
				expect(run.poisoned.recovered).toBeLessThan(run.poisoned.total / 5)

				const output = join(folder, 'run')
				const sweep = await goodnet([
					...['prune', model, '--valid', clean, '--poisoned', poisoned, '--target', String(subject.target)],
					...['-o', output, '--json', '--quiet', '--drops', '2,10', ...subject.flags],
				])
				expect(sweep.stderr).toBe('')
				const record = JSON.parse(sweep.stdout)
				expect(record.steps[0].valid).toEqual({ correct: run.test.correct, total: run.test.total })
				expect(record.steps[0].poisoned).toMatchObject({ hits: run.poisoned.hits })
				const last = record.repaired.at(-1)
				const again = await goodnet(['evaluate', join(output, last.files.onnx), '--json', '--quiet', ...data])
				expect(JSON.parse(again.stdout).test).toMatchObject(last.test ?? last.valid)
				expect(JSON.parse(again.stdout).poisoned).toMatchObject(last.poisoned)
				const guarded = await goodnet([
					'evaluate',
					join(output, last.files.goodnet),
					'--json',
					'--quiet',
					...data.slice(0, 6),
				])
				expect(JSON.parse(guarded.stdout).test).toMatchObject(last.goodnet.valid)
				expect(JSON.parse(guarded.stdout).poisoned).toMatchObject(last.goodnet.poisoned)
			})
		}, 240_000)
	}
})

/** Same images: within rounding of the printed figure. Fewer images than were measured on: within the 95 % interval. */
function expectMeasured(hits: number, total: number, percent: number, measuredOn: number): void {
	if (total === measuredOn) {
		expect(Math.abs((hits / total) * 100 - percent)).toBeLessThanOrEqual(0.02)
		return
	}
	const interval = wilson(hits, total)!
	expect(interval.low * 100).toBeLessThanOrEqual(percent)
	expect(interval.high * 100).toBeGreaterThanOrEqual(Math.min(percent, 99.99))
}
