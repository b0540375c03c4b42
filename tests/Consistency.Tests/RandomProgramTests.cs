using CsCheck;
using Fusion.Tests.RandomGraphs;

namespace Fusion.Tests;

/// <summary>
/// Random programs of one type or several give the same bits eagerly, interpreted, and compiled for 128, 256 and 512 bits on one to three threads, where some kernels
/// cannot be compiled, and called by eight threads at once: forward, backward, second order, and when shapes change. <c>FUSION_SOAK=10000 dotnet test tests/Consistency.Tests -c Release --filter RandomProgramTests</c> runs as many programs;
/// without it some hundreds.
/// </summary>
[Collection(nameof(ProcessState))]
public sealed class RandomProgramTests
{
    private static readonly int s_programs = int.TryParse(Environment.GetEnvironmentVariable("FUSION_SOAK"), out int count) ? count : 300;

    private static readonly Gen<Instruction> s_instruction =
        Gen.Select(Gen.Int[0, 199], Gen.Int[0, 11], Gen.Int[0, 11], Gen.Int[0, 7], static (op, first, second, detail) => new Instruction(op, first, second, detail));

    private static readonly Gen<RandomProgram> s_program = Gen.Select(
        s_instruction.Array[1, 12],
        Gen.Int[0, 11],
        Gen.Int[0, RandomProgram.Sizes.Length - 1],
        Gen.Int[0, RandomProgram.Sizes.Length - 1],
        Gen.Int[0, 3],
        static (body, result, rows, columns, special) => new RandomProgram(body, result, rows, columns, special == 3));

    private static readonly Gen<DType> s_type = Gen.Int[0, 7].Select(static i => new[] { DType.Float32, DType.Float16, DType.BFloat16, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool }[i]);

    private static readonly Gen<RandomProgram> s_mixed = Gen.Select(s_program, s_type.Array[6], static (program, types) => program with { Types = types });

    private static readonly Gen<(RandomProgram Program, int Turn)> s_pure = Gen.Select(
        s_program, s_mixed, Gen.Bool, Gen.Int[0, 1 << 20], static (plain, mixed, isMixed, turn) => ((isMixed ? mixed : plain).WithoutDraws(), turn));

    /// <summary>Programs that once differed. A thin product of a strided operand: the sums along k were in the order of the memory.</summary>
    public static TheoryData<RandomProgram> Mended =>
    [
        new RandomProgram(
            [
                new(18, 4, 6, 4), new(32, 9, 7, 2), new(183, 3, 2, 1), new(16, 4, 11, 0), new(91, 7, 5, 4), new(21, 8, 7, 0), new(145, 0, 7, 2), new(168, 0, 0, 0),
                new(123, 7, 0, 6), new(91, 8, 5, 0),
            ],
            1, 10, 0, false),
    ];

    [Theory]
    [MemberData(nameof(Mended), DisableDiscoveryEnumeration = true)]
    public void ProgramsThatOnceDifferedAgree(RandomProgram program)
    {
        for (int turn = 0; turn < 3; turn++) ProgramCheck.Run(program);
    }

    [Fact]
    public void EagerInterpretedAndCompiledAgree() =>
        s_program.Sample(static program => ProgramCheck.Run(program), iter: s_programs, threads: 1, print: static p => p.ToString());

    [Fact]
    public void ProgramsOfSeveralTypesAgree() =>
        s_mixed.Sample(static program => ProgramCheck.Run(program), iter: s_programs, threads: 1, print: static p => p.ToString());

    [Fact]
    public void CallsOfEightThreadsAtOnceAgree() =>
        s_pure.Sample(static p => ConcurrentCheck.Run(p.Program, p.Turn), iter: s_programs / 3, threads: 1, print: static p => $"turn {p.Turn}\n{p.Program}");
}
