using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Fusion.Kernels;

/// <summary>
/// Compiles kernel descriptions to machine code by way of expression trees over vector types, and keeps the some thousand kernels that were asked for last; plans keep
/// theirs themselves. A kernel gives the same bits as its operators' eager loops, one after the other.
/// </summary>
internal static class KernelCompiler
{
    /// <summary>The most operators, formulas expanded, that one kernel should have: see <see cref="Weight"/>.</summary>
    /// <remarks>
    /// Measured on Zen 5, chains of multiplications, of GELUs and of masks, at 256 and 512 bits: the JIT's own limits are not reached at 1 200
    /// operators, because every call in the trees is an intrinsic. But the longer the chain, the fewer elements the processor works on at a time:
    /// one operator costs 1× at 20 operators, 2× at 100, 2.5× from 200 on, against one more pass over cached memory for a cut.
    /// Building and jitting take some 12 µs per operator.
    /// </remarks>
    public const int MaxOperators = 200;

    // A kernel takes some 14 KB.
    private static readonly RecentCache<(KernelSpec Spec, int Width), Once<ElementKernel>> s_kernels = new(2048);
    private static readonly RecentCache<(RowSpec Spec, int Width), Once<RowKernel>> s_rows = new(512);
    private static int s_compileCount;
    private static long s_compileTicks;

    [ThreadStatic]
    private static int t_compileCount;

    [ThreadStatic]
    private static Func<KernelSpec, string?>? t_fault;

    [ThreadStatic]
    private static Func<RowSpec, string?>? t_rowFault;

    /// <summary>Machine code can be made at run time. Otherwise (NativeAOT) the caller runs the operators' eager loops one by one.</summary>
    [FeatureGuard(typeof(RequiresDynamicCodeAttribute))]
    public static bool IsAvailable => RuntimeFeature.IsDynamicCodeCompiled;

    /// <summary>Kernels compiled so far in this process.</summary>
    public static int CompileCount => Volatile.Read(ref s_compileCount);

    /// <summary>Kernels compiled so far by this thread: the difference over a call is what that call compiled.</summary>
    public static int CompileCountOfThread => t_compileCount;

    /// <summary>The time that building, compiling and jitting them took.</summary>
    public static TimeSpan CompileTime => Stopwatch.GetElapsedTime(0, Volatile.Read(ref s_compileTicks));

    /// <summary>For tests of what follows: makes this thread fail to compile the kernels for which the function gives a reason.</summary>
    public static Func<KernelSpec, string?>? FaultOfThread
    {
        get => t_fault;
        set => t_fault = value;
    }

    /// <summary>As <see cref="FaultOfThread"/>, of row kernels.</summary>
    public static Func<RowSpec, string?>? RowFaultOfThread
    {
        get => t_rowFault;
        set => t_rowFault = value;
    }

    /// <summary>The kernel at the current SIMD width, from the cache if it was compiled before.</summary>
    /// <exception cref="KernelFailedException">It cannot be compiled. The caller runs the operators' eager loops one by one.</exception>
    public static ElementKernel Compile(KernelSpec spec) => Compile(spec, SimdWidth.Current);

    /// <summary>The kernel, or null where none can be compiled.</summary>
    public static ElementKernel? TryCompile(KernelSpec spec)
    {
        if (!IsAvailable) return null;
        try
        {
            return Compile(spec);
        }
        catch (KernelFailedException)
        {
            return null;
        }
    }

    /// <summary>The kernel at a width.</summary>
    /// <exception cref="KernelFailedException">It cannot be compiled.</exception>
    /// <exception cref="PlatformNotSupportedException">Machine code cannot be made: see <see cref="IsAvailable"/>.</exception>
    public static ElementKernel Compile(KernelSpec spec, int width)
    {
        if (t_fault?.Invoke(spec) is { } reason) throw new KernelFailedException(reason);
        if (!IsAvailable) throw NotAvailable();
        ElementKernel kernel = s_kernels.GetOrAdd((spec, width), static key => new Once<ElementKernel>(() => Build(key.Spec, key.Width))).Value;
        return TieredLoop.TakesOverAtOnce ? kernel.Settled() : kernel;
    }

    /// <summary>The row kernel at the current SIMD width.</summary>
    /// <exception cref="KernelFailedException">It cannot be compiled.</exception>
    /// <exception cref="PlatformNotSupportedException">Machine code cannot be made: see <see cref="IsAvailable"/>.</exception>
    public static RowKernel Compile(RowSpec spec)
    {
        if (t_rowFault?.Invoke(spec) is { } reason) throw new KernelFailedException(reason);
        if (!IsAvailable) throw NotAvailable();
        return s_rows.GetOrAdd((spec, SimdWidth.Current), static key => new Once<RowKernel>(() => Counted(() => Timed(() => RowKernel.Build(key.Spec, key.Width))))).Value;
    }

    /// <summary>The row kernel, or null where it cannot be compiled.</summary>
    public static RowKernel? TryCompile(RowSpec spec)
    {
        try
        {
            return Compile(spec);
        }
        catch (KernelFailedException)
        {
            return null;
        }
    }

    /// <summary>The kernel is in the cache: <see cref="Compile(KernelSpec)"/> would return at once.</summary>
    public static bool IsCompiled(KernelSpec spec) => s_kernels.TryGet((spec, SimdWidth.Current), out Once<ElementKernel>? kernel) && kernel.IsMade;

    /// <summary>The number of operators that <paramref name="op"/> expands to, on any machine. A kernel's sum should not pass <see cref="MaxOperators"/>.</summary>
    public static int Weight(ElementOp op) => op.Weight;

    /// <summary>
    /// The kernel at the current SIMD width as a public static C# method, which needs the usings in <see cref="KernelPrinter.Usings"/> and gives the same bits.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">Machine code cannot be made: see <see cref="IsAvailable"/>.</exception>
    public static string ToCSharp(KernelSpec spec, string methodName) =>
        IsAvailable ? KernelPrinter.Print(KernelTree.Build(spec, SimdWidth.Current), methodName) : throw NotAvailable();

    /// <summary>
    /// The row kernel at the current SIMD width as a public static C# method: its table has the operands' pointers, the bytes from row to row of each, then what <see cref="RowTable"/> says.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">Machine code cannot be made: see <see cref="IsAvailable"/>.</exception>
    public static string ToCSharp(RowSpec spec, string methodName) => IsAvailable ? RowKernel.ToCSharp(spec, SimdWidth.Current, methodName) : throw NotAvailable();

    /// <summary>The caller did not ask <see cref="IsAvailable"/>.</summary>
    public static PlatformNotSupportedException NotAvailable() => new("Kernels cannot be compiled where dynamic code is not supported. Run the operators' own loops.");

    /// <summary>Calls with 0 to <paramref name="count"/> − 1, on all threads; what they compile counts as this thread's, and what one of them throws is thrown here.</summary>
    public static void ForEach(int count, Action<int> compile)
    {
        int caller = Environment.CurrentManagedThreadId;
        int compiled = 0;
        try
        {
            Parallel.For(
                0,
                count,
                new ParallelOptions { MaxDegreeOfParallelism = FusionRuntime.NumThreads },
                static () => t_compileCount,
                (i, _, before) =>
                {
                    compile(i);
                    return before;
                },
                before => Interlocked.Add(ref compiled, Environment.CurrentManagedThreadId == caller ? 0 : t_compileCount - before));
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }

        t_compileCount += compiled;
    }

    private static ElementKernel Build(KernelSpec spec, int width) => Counted(() =>
    {
        (ElementLoop first, KernelTree tree) = Build(spec, width, several: false);
        int operators = tree.OperatorCount;
        TieredLoop loop = new(first, operators, KernelTree.RegistersOf(operators, width) == 1 ? null : () => BuildFastest(spec, width));
        return new ElementKernel(loop, StreamedLoop.Of(spec, operators, width));
    });

    /// <summary>The loop that takes over in the end, compiled now. Counted nowhere.</summary>
    public static ElementLoop BuildFastest(KernelSpec spec, int width) => Build(spec, width, several: true).Loop;

    /// <summary>The loop with stores past the caches, at the width that has them, compiled now. Counted nowhere.</summary>
    public static TieredLoop BuildStreamed(KernelSpec spec)
    {
        (ElementLoop loop, KernelTree tree) = Build(spec, 512, several: true, streams: true);
        return new TieredLoop(loop, tree.OperatorCount);
    }

    private static (ElementLoop Loop, KernelTree Tree) Build(KernelSpec spec, int width, bool several, bool streams = false) => Timed(() =>
    {
        KernelTree tree = KernelTree.Build(spec, width, several, streams);
        ElementLoop loop = tree.Compile();
        Prepare(loop, spec.Inputs.Length + spec.Outputs.Length);
        return (loop, tree);
    });

    private static T Counted<T>(Func<T> build)
    {
        T kernel;
        try
        {
            kernel = build();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new KernelFailedException($"{failure.GetType().Name}: {failure.Message}", failure);
        }

        Interlocked.Increment(ref s_compileCount);
        t_compileCount++;
        return kernel;
    }

    private static T Timed<T>(Func<T> build)
    {
        long start = Stopwatch.GetTimestamp();
        T result = build();
        Interlocked.Add(ref s_compileTicks, Stopwatch.GetTimestamp() - start);
        return result;
    }

    // A call with no elements has the method jitted here and not in the first step of the user: it reads the pointers and the scalars only.
    private static unsafe void Prepare(ElementLoop loop, int operands)
    {
        long zero = 0;
        Span<nint> table = stackalloc nint[operands];
        table.Fill((nint)(&zero));
        fixed (nint* pointers = table) loop((nint)pointers, 0, 0);
    }
}
