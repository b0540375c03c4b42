using Fusion.Kernels;
using Fusion.Tests.RandomGraphs;

namespace Fusion.Tests;

/// <summary>Compares all ways to execute one program with the eager one.</summary>
internal static class ProgramCheck
{
    private static int s_turn;

    public static void Run(RandomProgram program)
    {
        (int width, int threads) = (SimdWidth.Current, FusionRuntime.NumThreads);
        try
        {
            FusionRuntime.NumThreads = 1;
            NDArray[] inputs = program.Inputs();
            NDArray[] others = program.Inputs((program.Rows + 1) % RandomProgram.Sizes.Length);
            ProgramRun forward = ProgramRun.Forward(program.Run, inputs);
            ProgramRun otherForward = ProgramRun.Forward(program.Run, others);
            ProgramRun backward = ProgramRun.Backward(program.Run, inputs, program.Matrix);
            ProgramRun oneHead = ProgramRun.Backward(program.Run, inputs, program.Matrix, bothHeads: false);
            ProgramRun residual = ProgramRun.Residual(program.Run, inputs, program.Matrix);
            ProgramRun second = ProgramRun.SecondOrder(program.Run, inputs);
            Same("interpreted", forward, ProgramRun.Forward(Interpret(program), inputs));
            int turn = s_turn++;
            for (int mode = 0; mode < 3; mode++)
            {
                int bits = Math.Min(128 << mode, SimdWidth.Hardware);
                SimdWidth.Current = bits;
                FusionRuntime.NumThreads = 1 + (turn + mode) % 3;
                int asked = 0;
                KernelCompiler.FaultOfThread = turn % 8 == 5 ? spec => spec.Steps.Length > 1 && asked++ % 2 == 0 ? "a test" : null : null;
                TieredLoop.TakesOverAtOnce = turn / 2 % 2 == 1;
                string name = $"{bits} bits, {FusionRuntime.NumThreads} thread(s){(TieredLoop.TakesOverAtOnce ? ", settled" : "")}{(turn % 8 == 5 ? ", some kernels failing" : "")}";
                HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> f = Hybrid.Hybridize(program.Run, new HybridOptions { FallbackToEager = false, CompileInBackground = turn % 8 == 6 });
                Same($"compiled, {name}", forward, ProgramRun.Forward(f.Invoke, inputs));
                Same($"called again, {name}", forward, ProgramRun.Forward(f.Invoke, inputs));
                Same($"backward, {name}", backward, ProgramRun.Backward(f.Invoke, inputs, program.Matrix));
                if ((turn + mode) % 3 != 0) continue;
                Same($"eager, {name}", backward, ProgramRun.Backward(program.Run, inputs, program.Matrix));
                Same($"other shapes, {name}", otherForward, ProgramRun.Forward(f.Invoke, others));
                Same($"one head, {name}", oneHead, ProgramRun.Backward(f.Invoke, inputs, program.Matrix, bothHeads: false));
                Same($"residual, {name}", residual, ProgramRun.Residual(f.Invoke, inputs, program.Matrix));
                Same($"second order, {name}", second, ProgramRun.SecondOrder(f.Invoke, inputs));
                Same($"the first shapes again, {name}", forward, ProgramRun.Forward(f.Invoke, inputs));
            }
        }
        finally
        {
            TieredLoop.TakesOverAtOnce = false;
            KernelCompiler.FaultOfThread = null;
            (SimdWidth.Current, FusionRuntime.NumThreads) = (width, threads);
        }
    }

    private static Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Interpret(RandomProgram program) => inputs =>
    {
        FunctionTrace trace = FunctionTrace.Run(program.Run, [.. inputs.Select(static x => x.Type)], null, Autograd.IsTraining, path: new BranchPath(inputs));
        return Interpreter.Run(new GraphFunction(trace.Inputs, trace.Outputs, trace.Effects), inputs);
    };

    private static void Same(string mode, ProgramRun expected, ProgramRun actual)
    {
        if (expected.Difference(actual) is { } difference) throw new InvalidOperationException($"{mode}: {difference}");
    }
}
