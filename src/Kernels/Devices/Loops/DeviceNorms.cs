using System.Linq.Expressions;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// The sums of squares of many arrays in two launches, such as those of all gradients: first of every block of <see cref="ReduceTree"/>, a group of threads
/// each, then those of an array together. The bits are those of <see cref="DeviceReduce"/>.
/// </summary>
internal static class DeviceNorms
{
    // As for DeviceManyElements: 4 KB of arguments, or 1 KB.
    private const int MaxArrays = 128, MaxArraysOfOpenCL = 32;

    private const int Threads = ReduceTree.Lanes;

    /// <summary>Queues the sums, each of them written as Float64 if the target is.</summary>
    /// <param name="device">Where the arrays are.</param>
    /// <param name="arrays">Contiguous arrays of one type, Float32 or Float64.</param>
    /// <param name="sizes">Elements of each, at least one.</param>
    /// <param name="targets">One element each, of the arrays' type or Float64.</param>
    public static void Run(GpuDevice device, ReadOnlySpan<DeviceOperand> arrays, ReadOnlySpan<long> sizes, ReadOnlySpan<DeviceOperand> targets)
    {
        int most = device.Backend == GpuBackend.OpenCL ? MaxArraysOfOpenCL : MaxArrays;
        for (int start = 0; start < arrays.Length; start += most)
        {
            int end = Math.Min(start + most, arrays.Length);
            Launch(device, arrays[start..end], sizes[start..end], targets[start..end]);
        }

        foreach (DeviceOperand array in arrays) GC.KeepAlive(array.Block);
        foreach (DeviceOperand target in targets) GC.KeepAlive(target.Block);
    }

    private static void Launch(GpuDevice device, ReadOnlySpan<DeviceOperand> arrays, ReadOnlySpan<long> sizes, ReadOnlySpan<DeviceOperand> targets)
    {
        int count = arrays.Length;
        DType type = arrays[0].Type;
        ManyKernel blocks = Kernel(device, new Key(count, type, type, 0));
        ManyKernel totals = Kernel(device, new Key(count, type, targets[0].Type, 1));
        using (device.Enter())
        {
            blocks.Arguments.Clear();
            totals.Arguments.Clear();
            int first = 0;
            for (int t = 0; t < count; t++)
            {
                blocks.Arguments.Add(DeviceGrid.Index(sizes[t]));
                blocks.Arguments.Add(first);
                blocks.Arguments.Set(t, arrays[t].Block!, arrays[t].Offset, sizes[t], type.Size);
                totals.Arguments.Add(first);
                totals.Arguments.Set(t, targets[t].Block!, targets[t].Offset, 1, targets[t].Type.Size);
                first += (int)ReduceTree.BlockCount(sizes[t]);
            }

            totals.Arguments.Add(first);
            DeviceBlock partials = new(device, (long)first * type.Size);
            blocks.Arguments.Set(count, partials, 0, first, type.Size);
            totals.Arguments.Set(count, partials, 0, first, type.Size);
            KernelConfig Groups(int groups) => new(groups, Math.Min(Threads, DeviceGrid.GroupSize(device)));
            blocks.Launch(device.Stream, Groups(first), blocks.Arguments);
            totals.Launch(device.Stream, Groups(count), totals.Arguments);
            device.LaunchCount += 2;
            partials.Release();
        }
    }

    private static ManyKernel Kernel(GpuDevice device, Key key) =>
        device.Kernel(key, accelerator => DeviceCompilation.Run(() => key.Stage == 0 ? Blocks(accelerator, key) : Totals(accelerator, key)));

    // Which array a group of threads has is told by the first group of each.
    private static ManyKernel Blocks(Accelerator accelerator, Key key)
    {
        ParameterExpression n = Expression.Variable(typeof(int), "n"), x = Expression.Variable(DeviceTypes.View(key.Type), "v");
        ParameterExpression partials = Expression.Parameter(DeviceTypes.View(key.Type), "v" + key.Arrays);
        DeviceTensorChoice choice = new(n, [x], key.Arrays);
        Expression sum = ScalarTarget.Call(typeof(DeviceNormKernels), nameof(DeviceNormKernels.Block), x, n, choice.GroupOfTensor, partials);
        return Load(accelerator, [.. choice.Parameters, partials], [.. choice.Statements, sum]);
    }

    private static ManyKernel Totals(Accelerator accelerator, Key key)
    {
        ParameterExpression[] firsts = [.. Enumerable.Range(0, key.Arrays + 1).Select(static t => Expression.Parameter(typeof(int), "first" + t))];
        ParameterExpression[] targets = [.. Enumerable.Range(0, key.Arrays).Select(t => Expression.Parameter(DeviceTypes.View(key.Target), "v" + t))];
        ParameterExpression partials = Expression.Parameter(DeviceTypes.View(key.Type), "v" + key.Arrays);
        ParameterExpression first = Expression.Variable(typeof(int), "from"), end = Expression.Variable(typeof(int), "until"), group = Expression.Variable(typeof(int), "group");
        ParameterExpression target = Expression.Variable(DeviceTypes.View(key.Target), "target");
        Expression choice = Choose(key.Arrays - 1);
        for (int t = key.Arrays - 2; t >= 0; t--) choice = Expression.IfThenElse(Expression.LessThan(group, Expression.Constant(t + 1)), Choose(t), choice);
        Expression sum = ScalarTarget.Call(typeof(DeviceNormKernels), nameof(DeviceNormKernels.Total), partials, first, end, target);
        Expression index = Expression.Assign(group, ScalarTarget.Call(typeof(DeviceRowMemory), nameof(DeviceRowMemory.GroupIndex)));
        return Load(accelerator, [.. firsts, .. targets, partials], [index, choice, sum]);

        Expression Choose(int t) => Expression.Block(
            typeof(void), Expression.Assign(first, firsts[t]), Expression.Assign(end, firsts[t + 1]), Expression.Assign(target, targets[t]));
    }

    private static ManyKernel Load(Accelerator accelerator, ParameterExpression[] parameters, Expression[] statements)
    {
        Kernel kernel = accelerator.LoadKernel(DeviceMethod.Create(parameters, statements));
        return new ManyKernel(new DeviceArguments(parameters.Length), DeviceLauncher.Create(kernel, parameters));
    }

    private readonly record struct Key(int Arrays, DType Type, DType Target, int Stage);

    private sealed record ManyKernel(DeviceArguments Arguments, Action<AcceleratorStream, KernelConfig, DeviceArguments> Launch);
}

/// <summary>The device code of <see cref="DeviceNorms"/>.</summary>
internal static class DeviceNormKernels
{
    /// <summary>The sum of squares of a block of an array, at the place of this group.</summary>
    public static void Block(ArrayView<float> x, int n, int block, ArrayView<float> sums)
    {
        ArrayView<float> lanes = SharedMemory.Allocate<float>(ReduceTree.Lanes);
        int start = block * ReduceTree.Block, end = n - start < ReduceTree.Block ? n : start + ReduceTree.Block;
        for (int lane = Group.IdxX; lane < ReduceTree.Lanes; lane += Group.DimX)
        {
            float sum = 0;
            int i = start + lane;
            for (; end - i > 7 * ReduceTree.Lanes; i += 8 * ReduceTree.Lanes)
            {
                // Loads in one block of code, so that they are under way together.
                float a = x[i], b = x[i + ReduceTree.Lanes], c = x[i + (2 * ReduceTree.Lanes)], d = x[i + (3 * ReduceTree.Lanes)];
                float e = x[i + (4 * ReduceTree.Lanes)], f = x[i + (5 * ReduceTree.Lanes)], g = x[i + (6 * ReduceTree.Lanes)], h = x[i + (7 * ReduceTree.Lanes)];
                sum = Take(Take(Take(Take(sum, a), b), c), d);
                sum = Take(Take(Take(Take(sum, e), f), g), h);
            }

            for (; i < end; i += ReduceTree.Lanes) sum = Take(sum, x[i]);
            lanes[lane] = sum;
        }

        Fold(lanes);
        if (Group.IdxX == 0) sums[Grid.IdxX] = lanes[0];
    }

    /// <inheritdoc cref="Block(ArrayView{float}, int, int, ArrayView{float})"/>
    public static void Block(ArrayView<double> x, int n, int block, ArrayView<double> sums)
    {
        ArrayView<double> lanes = SharedMemory.Allocate<double>(ReduceTree.Lanes);
        int start = block * ReduceTree.Block, end = n - start < ReduceTree.Block ? n : start + ReduceTree.Block;
        for (int lane = Group.IdxX; lane < ReduceTree.Lanes; lane += Group.DimX)
        {
            double sum = 0;
            int i = start + lane;
            for (; end - i > 3 * ReduceTree.Lanes; i += 4 * ReduceTree.Lanes)
            {
                double a = x[i], b = x[i + ReduceTree.Lanes], c = x[i + (2 * ReduceTree.Lanes)], d = x[i + (3 * ReduceTree.Lanes)];
                sum = Take(Take(Take(Take(sum, a), b), c), d);
            }

            for (; i < end; i += ReduceTree.Lanes) sum = Take(sum, x[i]);
            lanes[lane] = sum;
        }

        Fold(lanes);
        if (Group.IdxX == 0) sums[Grid.IdxX] = lanes[0];
    }

    /// <summary>The sum of an array's blocks.</summary>
    public static void Total(ArrayView<float> sums, int first, int end, ArrayView<float> target)
    {
        ArrayView<float> lanes = SharedMemory.Allocate<float>(ReduceTree.Lanes);
        Add(lanes, sums, first, end);
        if (Group.IdxX == 0) target[0] = lanes[0];
    }

    /// <inheritdoc cref="Total(ArrayView{float}, int, int, ArrayView{float})"/>
    public static void Total(ArrayView<float> sums, int first, int end, ArrayView<double> target)
    {
        ArrayView<float> lanes = SharedMemory.Allocate<float>(ReduceTree.Lanes);
        Add(lanes, sums, first, end);
        if (Group.IdxX == 0) target[0] = lanes[0];
    }

    /// <inheritdoc cref="Total(ArrayView{float}, int, int, ArrayView{float})"/>
    public static void Total(ArrayView<double> sums, int first, int end, ArrayView<double> target)
    {
        ArrayView<double> lanes = SharedMemory.Allocate<double>(ReduceTree.Lanes);
        Add(lanes, sums, first, end);
        if (Group.IdxX == 0) target[0] = lanes[0];
    }

    // The results of blocks are reduced as the elements of a row are.
    private static void Add<T>(ArrayView<T> lanes, ArrayView<T> sums, int first, int end)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        for (int lane = Group.IdxX; lane < ReduceTree.Lanes; lane += Group.DimX)
        {
            T sum = T.Zero;
            for (int i = first + lane; i < end; i += ReduceTree.Lanes) sum += sums[i];
            lanes[lane] = sum;
        }

        Fold(lanes);
    }

    private static void Fold<T>(ArrayView<T> lanes)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        for (int half = ReduceTree.Lanes / 2; half > 0; half >>= 1)
        {
            Group.Barrier();
            for (int lane = Group.IdxX; lane < half; lane += Group.DimX) lanes[lane] += lanes[lane + half];
        }

        Group.Barrier();
    }

    // Every square is rounded.
    private static float Take(float sum, float x) => sum + DeviceMath.Multiply(x, x);

    private static double Take(double sum, double x) => sum + DeviceMath.Multiply(x, x);
}
