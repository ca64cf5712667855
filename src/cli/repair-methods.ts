/** What `goodnet repair` can do, for its help, `--list` and `--set`. */
import type { RepairMethodsResult } from '../contracts/cli-results.ts'
import type { RepairMethod } from '../defense/repair/method.ts'
import { DEFAULT_METHOD, DEFAULT_UNLABELED_METHOD, REPAIR_METHODS } from '../defense/repair/methods/index.ts'
import { rangeOf } from '../defense/repair/parameters.ts'
import { UsageError } from '../errors.ts'
import { wrapWords } from '../report/wrap.ts'
import { alignColumns } from './text-table.ts'

/** Every method with its parameters, as data. */
export function methodsResult(): RepairMethodsResult {
	return {
		schema: 'goodnet/repair-methods@1',
		default: DEFAULT_METHOD,
		defaultUnlabeled: DEFAULT_UNLABELED_METHOD,
		methods: [...REPAIR_METHODS.values()].map(({ name, summary, needs, parameters }) => ({
			...{ name, summary, needs: [...needs] },
			parameters: Object.entries(parameters).map(([parameter, description]) => {
				const { meaning, default: fallback } = description
				const range = rangeOf(description)
				return { name: parameter, meaning, default: typeof fallback === 'object' ? [...fallback] : fallback, range }
			}),
		})),
	}
}

/** Every method with its parameters, to read. */
export function methodsText(width: number): string {
	const { methods } = methodsResult()
	const texts = methods.map(({ name, summary, needs, parameters }) => {
		const rows = parameters.map(({ name: parameter, meaning, default: fallback, range }) => [
			`  ${parameter}`,
			String(fallback),
			range,
			meaning,
		])
		return [
			[name, ...whenUsual(name)].join(': '),
			indented(wrapWords(summary, width - 2)),
			`  needs clean images: ${needs.map((need) => NEEDS[need]).join(', ')}`,
			...(rows.length > 0 ? [alignColumns([['  parameter', 'default', 'range', ''], ...rows])] : []),
		].join('\n')
	})
	return [...texts, WHERE_TO_READ].join('\n\n')
}

/** When a method is taken without being named: none or one phrase. */
function whenUsual(name: string): string[] {
	if (name === DEFAULT_METHOD) return ['the default']
	return name === DEFAULT_UNLABELED_METHOD ? ['the default with --unlabeled'] : []
}

function indented(text: string): string {
	return text.replaceAll(/^/gm, '  ')
}

/** For the command's help. */
export function methodsNotes(): string {
	const rows = [...REPAIR_METHODS.values()].map(({ name, summary }) => [
		`  ${name}`,
		[summary, ...whenUsual(name)].join('; '),
	])
	return `Methods:\n${alignColumns(rows)}\n${WHERE_TO_READ}`
}

const WHERE_TO_READ = 'docs/repair.md says what each does and what it reached; goodnet repair --list, what can be set.'

const NEEDS: Readonly<Record<RepairMethod['needs'][number], string>> = {
	tuning: 'labelled, to learn from (--data or --tuning-data)',
	valid: 'labelled, to choose by (--data or --valid)',
	unlabeled: 'without labels (--unlabeled, or those to learn from)',
}

/**
 * What `--set` was told: `epochs=5`, `epochs=5,lr=0.1`, and with a list among them `drops=2,4,layer=pool_3`: what stands before the next
 * name belongs to the list.
 * @throws UsageError `bad-option`
 */
export function parseSettings(texts: readonly string[]): Record<string, string> {
	const told: Record<string, string> = {}
	for (const text of texts) {
		let name: string | undefined
		for (const part of text.split(',')) {
			const at = part.indexOf('=')
			if (at > 0) {
				name = part.slice(0, at).trim()
				if (Object.hasOwn(told, name))
					throw new UsageError('bad-option', `--set ${name}: it is set twice; leave one out`)
				told[name] = part.slice(at + 1).trim()
			} else if (name === undefined) {
				throw new UsageError('bad-option', `--set: expected NAME=VALUE, as in epochs=5, found "${text}"`)
			} else told[name] += `,${part.trim()}`
		}
	}
	return told
}
