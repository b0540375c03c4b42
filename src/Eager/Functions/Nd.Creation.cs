using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion;

public static partial class Nd
{
    /// <summary>An array of rank 1; the element type follows from <typeparamref name="T"/>.</summary>
    public static NDArray Array<T>(ReadOnlySpan<T> values) => Array(values, values.Length);

    /// <summary>An array of rank 1; the element type follows from <typeparamref name="T"/>.</summary>
    public static NDArray Array<T>(T[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Array((ReadOnlySpan<T>)values, values.Length);
    }

    /// <summary>An array of rank 2.</summary>
    public static NDArray Array<T>(T[,] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ReadOnlySpan<T> flat = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(values)), values.Length);
        return Array(flat, (values.GetLength(0), values.GetLength(1)));
    }

    /// <summary>An array of rank 3.</summary>
    public static NDArray Array<T>(T[,,] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ReadOnlySpan<T> flat = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(values)), values.Length);
        return Array(flat, (values.GetLength(0), values.GetLength(1), values.GetLength(2)));
    }

    /// <summary>An array of a given shape, filled in row-major order.</summary>
    /// <exception cref="ShapeException">The number of values is not the shape's number of elements.</exception>
    public static NDArray Array<T>(ReadOnlySpan<T> values, Shape shape)
    {
        DType dtype = DTypes.Of<T>();
        if (values.Length != shape.Size) throw new ShapeException($"Array: {values.Length} values for the shape {shape}, which has {shape.Size} elements.");
        NDArray result = NDArray.Allocate(dtype, shape);
        result.CopyIn(values);
        return result;
    }

    /// <summary>An array of a given shape, filled in row-major order.</summary>
    public static NDArray Array<T>(T[] values, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Array((ReadOnlySpan<T>)values, shape);
    }

    /// <summary>An array of rank 0.</summary>
    public static NDArray Scalar(double v, DType dtype = DType.Float32) => Full(default, v, dtype);

    /// <summary>Zeros.</summary>
    public static NDArray Zeros(Shape shape, DType dtype = DType.Float32, Device? device = null) => Full(shape, 0, dtype, device);

    /// <summary>Ones.</summary>
    public static NDArray Ones(Shape shape, DType dtype = DType.Float32, Device? device = null) => Full(shape, 1, dtype, device);

    /// <summary>One value everywhere.</summary>
    public static NDArray Full(Shape shape, double value, DType dtype = DType.Float32, Device? device = null)
    {
        NDArray result = null!;
        if (ExecutionState.Current.Tracer is { } tracer)
        {
            // A number of the graph: memory of the trace would outlive the call.
            tracer.Apply(OpTable.BroadcastTo, [Elements.Scalar(value, DTypes.Checked(dtype))], new ShapeAttributes(shape), new Span<NDArray>(ref result));
            return result;
        }

        result = NDArray.Allocate(dtype, shape, device?.Accelerator);
        Movement.Fill(result, value);
        return result;
    }

    /// <summary>Zeros of the shape and type of <paramref name="x"/>.</summary>
    public static NDArray ZerosLike(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return RecordedLike(Zeros(x.Shape, x.DType, x.Device));
    }

    /// <summary>Ones of the shape and type of <paramref name="x"/>.</summary>
    public static NDArray OnesLike(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return RecordedLike(Ones(x.Shape, x.DType, x.Device));
    }

    /// <summary>The identity matrix (n, n).</summary>
    public static NDArray Eye(int n, DType dtype = DType.Float32, Device? device = null)
    {
        Require.NotNegative(n);
        NDArray index = Arange(0, n, 1, DType.Int32, device);
        return Elements.To(Equal(ExpandDims(index, 1), ExpandDims(index, 0)), dtype);
    }

    /// <summary>A matrix (rows, columns) with ones where column − row = k and zeros elsewhere: k = 0 is the main diagonal, k &gt; 0 lies above it.</summary>
    /// <remarks><c>mx.np.eye(N, M, k)</c>, <c>np.eye(N, M, k)</c>, <c>torch.eye(n, m)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public static NDArray Eye(int rows, int columns, int k = 0, DType dtype = DType.Float32, Device? device = null)
    {
        Require.NotNegative(rows);
        Require.NotNegative(columns);

        // Int64: row + k need not be an Int32.
        NDArray row = Arange(k, (double)k + rows, 1, DType.Int64, device), column = Arange(0, columns, 1, DType.Int64, device);
        return Elements.To(Equal(ExpandDims(row, 1), ExpandDims(column, 0)), dtype);
    }

    /// <summary>start, start + step, … up to but not including stop.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is 0 or not finite.</exception>
    public static NDArray Arange(double start, double stop, double step = 1, DType dtype = DType.Float32, Device? device = null)
    {
        if (step == 0 || !double.IsFinite(step)) throw new ArgumentOutOfRangeException(nameof(step), step, "Arange: the step must be finite and not 0.");
        double count = Math.Max(0, Math.Ceiling((stop - start) / step));
        if (!(count <= int.MaxValue)) throw new ArgumentOutOfRangeException(nameof(stop), stop, $"Arange: {count} elements from {start} to {stop} by {step}.");
        return Sequence((int)count, i => start + i * step, dtype, device);
    }

    /// <summary>0, 1, … up to but not including stop.</summary>
    public static NDArray Arange(double stop) => Arange(0, stop);

    /// <summary><paramref name="count"/> values from start to stop, both included, evenly spaced.</summary>
    public static NDArray Linspace(double start, double stop, int count, DType dtype = DType.Float32, Device? device = null)
    {
        Require.NotNegative(count);
        double step = count > 1 ? (stop - start) / (count - 1) : 0;
        return Sequence(count, i => i == count - 1 && count > 1 ? stop : start + i * step, dtype, device);
    }

    private static NDArray Sequence(int count, Func<int, double> value, DType dtype, Device? device)
    {
        double[] values = Errors.Numbers<double>(count);
        for (int i = 0; i < count; i++) values[i] = value(i);
        NDArray doubles = Table(values, count, device ?? Device.Cpu);
        if (dtype == DType.Float64) return doubles;
        NDArray result = Movement.Cast(doubles, dtype);
        ExecutionState.Current.Tracer?.Created(result);
        return result;
    }

    // Functions of an array that do not depend on its values: operators whose gradient is 0, unlike what is made of nothing.
    private static NDArray RecordedLike(NDArray result)
    {
        if (Autograd.IsRecording) result.MarkRecordedWithoutGradient();
        return result;
    }

    /// <summary>Numbers that the library has computed, as an array on a device; a constant where a function is traced.</summary>
    internal static NDArray Table<T>(T[] values, Shape shape, Device device)
    {
        NDArray result = NDArray.Allocate(DTypes.Of<T>(), shape, device.Accelerator);
        result.CopyIn((ReadOnlySpan<T>)values);
        return result;
    }
}
