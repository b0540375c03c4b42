using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>One way to execute a function of arrays; all give the same bits. A new one is a row of <see cref="All"/>.</summary>
/// <param name="Name">Names the mode in test results.</param>
/// <param name="Prepare">Makes the function that is called in this mode; each call of it may trace and compile anew.</param>
/// <param name="Width">The SIMD width in bits; 0: the widest.</param>
/// <param name="Threads">The number of threads; 0: as the process has it.</param>
internal sealed record ExecutionMode(string Name, Func<ArrayFunction, ArrayFunction> Prepare, int Width = 0, int Threads = 0)
{
    /// <summary>Gradients are computed inside the prepared function, not by differentiating it from outside.</summary>
    public bool TracesGradients { get; init; }

    /// <summary>What the others are compared with: the widest registers, as many threads as the process has.</summary>
    public static ExecutionMode Eager { get; } = new("eager", static f => f);

    /// <summary>Every other mode this machine has.</summary>
    public static IReadOnlyList<ExecutionMode> All { get; } =
    [
        .. new ExecutionMode[]
        {
            new("eager 128", static f => f, 128, 1),
            new("eager 256", static f => f, 256, 2),
            new("eager 512", static f => f, 512, 1),
            new("interpreted", TracedGraphs.Interpret) { TracesGradients = true },
            new("compiled 128", TracedGraphs.Compile, 128, 1),
            new("compiled 256", TracedGraphs.Compile, 256, 2),
            new("compiled 512", TracedGraphs.Compile, 512, 2),
            new("compiled whole", TracedGraphs.Compile) { TracesGradients = true },
        }.Where(static mode => mode.Width <= SimdWidth.Hardware),
    ];

    /// <summary>Runs something that calls prepared functions, with the mode's width and threads and a fresh stream of random numbers.</summary>
    /// <remarks>Width and threads belong to the process: only for tests of a collection that runs alone.</remarks>
    public T Run<T>(Func<T> body)
    {
        int width = SimdWidth.Current;
        int threads = FusionRuntime.NumThreads;
        try
        {
            SimdWidth.Current = Width == 0 ? SimdWidth.Hardware : Width;
            if (Threads > 0) FusionRuntime.NumThreads = Threads;
            Nd.Random.Seed(20);
            return body();
        }
        finally
        {
            SimdWidth.Current = width;
            FusionRuntime.NumThreads = threads;
        }
    }

    public override string ToString() => Name;
}
