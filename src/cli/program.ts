/** The table of commands, made into a parser. Reads like the help it prints. */
import { Command as Commander, CommanderError } from 'commander'
import { z } from 'zod'
import { UsageError } from '../errors.ts'
import { VERSION } from '../version.ts'
import type { Command, Io } from './command.ts'
import { attack } from './commands/attack.ts'
import { attackStamp } from './commands/attack-stamp.ts'
import { benchDefensesCommand } from './commands/bench-defenses.ts'
import { demo } from './commands/demo.ts'
import { doctor } from './commands/doctor.ts'
import { evaluate } from './commands/evaluate.ts'
import { guard } from './commands/guard.ts'
import { inspect } from './commands/inspect.ts'
import { predict } from './commands/predict.ts'
import { prune } from './commands/prune.ts'
import { repair } from './commands/repair.ts'
import { reproduce } from './commands/reproduce.ts'

/** A command whose name is two words stands behind the one named by the first, or behind a group of that name. */
const COMMANDS = [
	demo,
	inspect,
	predict,
	evaluate,
	prune,
	repair,
	guard,
	attack,
	attackStamp,
	benchDefensesCommand,
	reproduce,
	doctor,
]

/**
 * Parses `argv` (without node and script) and runs the command it names.
 *
 * @returns the exit code
 * @throws UsageError for what cannot be parsed, and whatever the command throws
 */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
	let exitCode = 0
	const program = new Commander('goodnet')
		.description('Repairs a backdoored image classifier, measures what that cost and what it removed, and guards it.')
		.version(VERSION)
		.exitOverride()
		.enablePositionalOptions()
		.configureOutput({ writeOut: (text) => io.print(text.trimEnd()), writeErr: () => {} })
		.addHelpText(
			'after',
			'\nExit codes: 0 fine, 1 our own fault, 2 usage, 3 bad input, 6 the machine lacks something, 10 a gate failed, 130 interrupted',
		)
	for (const command of COMMANDS) {
		addCommand(program, command, async (positional, raw) => {
			exitCode = await command.run(positional, parseOptions(command, raw), io)
		})
	}
	if (argv.length === 0) {
		io.print(program.helpInformation().trimEnd())
		return 0
	}
	try {
		await program.parseAsync([...argv], { from: 'user' })
		return exitCode
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error
		if (error.exitCode === 0) return 0
		const what = error.code === 'commander.help' ? 'expected one more word' : error.message.replace(/^error: /, '')
		throw new UsageError('usage', `${what}; see goodnet --help`, { cause: error })
	}
}

type Action = (positional: string[], options: unknown) => Promise<void>

function addCommand(program: Commander, command: Command<unknown>, action: Action): void {
	const [first = '', second] = command.name.split(' ')
	const parent = second === undefined ? program : parentOf(program, first)
	const child = parent.command(second ?? first).description(command.summary)
	for (const [name, description] of command.arguments) child.argument(name, description)
	for (const [flags, description, fallback] of command.flags) {
		const isRepeatable = command.repeatable?.some((flag) => flags.startsWith(flag))
		if (isRepeatable) child.option(flags, description, (value, values: string[]) => [...values, value], [])
		else child.option(flags, description, fallback)
	}
	if (command.notes) child.addHelpText('after', `\n${command.notes}`)
	child.addHelpText('after', `\nExample:\n  ${command.example}`)
	// Commander hands over: each positional argument, the options, itself.
	child.action((...parameters: unknown[]) => action(parameters.slice(0, -2).flat() as string[], parameters.at(-2)))
}

/** Groups of commands that are no commands themselves. */
const GROUPS: Readonly<Record<string, string>> = { bench: 'measure goodnet on many nets' }

/** The command or group `name`. A command stands before its second words in the table. */
function parentOf(program: Commander, name: string): Commander {
	const found = program.commands.find((command) => command.name() === name)
	// What stands behind the second word is for the second command, also where both have an option of that name.
	return (found ?? program.command(name).description(GROUPS[name] ?? '')).enablePositionalOptions()
}

function parseOptions(command: Command<unknown>, raw: unknown): unknown {
	const parsed = command.options.safeParse(raw)
	if (parsed.success) return parsed.data
	const [issue] = parsed.error.issues
	const flag =
		issue?.path[0] === undefined
			? ''
			: `--${String(issue.path[0]).replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}: `
	throw new UsageError(
		'bad-option',
		`${flag}${issue?.message ?? z.prettifyError(parsed.error)}; see goodnet ${command.name} --help`,
	)
}
