using Fusion.Tests.RandomGraphs;

namespace Fusion.Tests;

/// <summary>Calls one compiled function of a program without random numbers from several threads at once, and compares each result with the eager one.</summary>
internal static class ConcurrentCheck
{
    private const int Threads = 8, Calls = 5, Kinds = 5;

    /// <summary>Fewer variants are kept than are called for, and by turns another thread forgets all, kernels are compiled in the background, or calls are verified.</summary>
    public static void Run(RandomProgram program, int turn)
    {
        int threads = FusionRuntime.NumThreads;
        FusionRuntime.NumThreads = 1 + turn / 3 % 2;
        if (program.Matrix.DType.IsFloat) program.Matrix.AttachGrad();
        int[] rows = [program.Rows, (program.Rows + 1) % RandomProgram.Sizes.Length, (program.Rows + 5) % RandomProgram.Sizes.Length];
        NDArray[][] inputs = [.. rows.Select(r => program.Inputs(r))];
        ProgramRun[] expected = [.. Enumerable.Range(0, rows.Length * Kinds).Select(way => Call(program.Run, way))];
        HybridVerify verify = (turn % 8) switch { 1 => HybridVerify.FirstCall, 5 => HybridVerify.Always, _ => HybridVerify.Off };
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> f = Hybrid.Hybridize(
            program.Run,
            new HybridOptions { FallbackToEager = false, MaxVariants = 1 + turn % 4, CompileInBackground = turn % 6 == 2, Verify = verify, Profile = turn % 16 == 3 });
        string? failure = null;
        int running = Threads;
        using Barrier start = new(Threads);
        List<Thread> workers = [.. Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            Random random = new(turn * Threads + thread);
            start.SignalAndWait();
            for (int i = 0; i < Calls && failure is null; i++)
            {
                int way = random.Next(expected.Length);
                try
                {
                    if (expected[way].Difference(Call(f.Invoke, way)) is { } difference) failure = $"way {way}, {difference}";
                }
                catch (Exception e)
                {
                    failure = $"way {way}, {e}";
                }
            }

            Interlocked.Decrement(ref running);
        }))];
        if (turn % 2 == 1)
        {
            workers.Add(new Thread(() =>
            {
                while (Volatile.Read(ref running) > 0)
                {
                    f.Clear();
                    _ = f.Report.ToString();
                    Thread.Sleep(1);
                }
            }));
        }

        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        FusionRuntime.NumThreads = threads;
        program.Matrix.DropGrad();
        if (failure is not null) throw new InvalidOperationException($"turn {turn}: {failure}");

        ProgramRun Call(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function, int way)
        {
            NDArray[] own = inputs[way / Kinds];
            switch (way % Kinds)
            {
                case 0:
                    return ProgramRun.Plain(function, own);
                case 1:
                    using (Autograd.TrainMode()) return ProgramRun.Plain(function, own);
                case 2:
                    return ProgramRun.SecondOrder(function, own);
                default:
                    return ProgramRun.Gradients(function, own, program.Matrix, trainMode: way % Kinds == 3);
            }
        }
    }
}
